// SPDX-License-Identifier: Apache-2.0
/* Sample messages and how errors about them read. */
#include "tests/support/wire/sample.h"

WIRE_ENUM_DEFINE(sample_colour, SAMPLE_COLOUR)
WIRE_DEFINE(sample_line, SAMPLE_LINE)
WIRE_DEFINE(sample_all, SAMPLE_ALL)
WIRE_DEFINE(sample_node, SAMPLE_NODE)
WIRE_DEFINE(sample_user, SAMPLE_USER)
WIRE_DEFINE(sample_query, SAMPLE_QUERY)
WIRE_DEFINE(sample_filter, SAMPLE_FILTER)

enum { TOLD_MAX_BYTES = 64 * 1024 };

static const struct uuid some_uuid = {{0x01, 0x90, 0xb3, 0x1e, 0x7c, 0x4d, 0x7a, 0x11,
                                       0x80, 0xff, 0x10, 0x20, 0x30, 0x40, 0x50, 0x60}};

static struct sample_line line(struct str sku, int64_t quantity)
{
    return (struct sample_line){
        .sku = sku, .has_sku = true, .quantity = quantity, .has_quantity = true};
}

static void set_strings(struct sample_all *m)
{
    WIRE_SET(m, name, STR("J\xc3\xb6rg \"J\""));
    WIRE_SET(m, note, STR("two\n\tlines \\ \xf0\x9f\x9a\x82"));
    WIRE_SET(m, mail, STR("joerg@example.org"));
    WIRE_SET(m, link, STR("https://example.org/hook?a=b"));
    WIRE_SET(m, password, STR("correct horse"));
    WIRE_SET(m, currency, STR("EUR"));
    WIRE_SET(m, blob, STR("\x00\xff\xfe\x01"));
}

static void set_numbers(struct sample_all *m)
{
    WIRE_SET(m, count, -5);
    WIRE_SET(m, big, INT64_MIN);
    WIRE_SET(m, ratio, 0.1);
    WIRE_SET(m, active, true);
    WIRE_SET(m, id, some_uuid);
    WIRE_SET(m, created_at, INT64_C(1769903999123456));
    WIRE_SET(m, colour, SAMPLE_BLUE);
}

struct sample_all sample_all_full(struct arena *a)
{
    struct sample_line *lines = ARENA_ARRAY(a, struct sample_line, 3);
    struct str *tags = ARENA_ARRAY(a, struct str, 2);
    struct sample_all m = {0};

    for (int i = 0; i < 3; i++)
        lines[i] = line(STR("sku"), 33 * i + 1);
    tags[0] = STR("fast");
    tags[1] = STR("gr\xc3\xbcn");
    set_strings(&m);
    set_numbers(&m);
    WIRE_SET(&m, line, lines);
    WIRE_SET(&m, lines, ((struct sample_line_list){lines + 1, 2}));
    WIRE_SET(&m, tags, ((struct str_list){tags, 2}));
    return m;
}

struct sample_user sample_user_full(void)
{
    struct sample_user u = {0};

    WIRE_SET(&u, id, some_uuid);
    WIRE_SET(&u, email, STR("ada.lovelace@example.org"));
    WIRE_SET(&u, name, STR("Ada Lovelace"));
    WIRE_SET(&u, status, SAMPLE_GREEN);
    WIRE_SET(&u, version, 17);
    WIRE_SET(&u, verified, true);
    WIRE_SET(&u, picture, STR("https://static.example.org/p/ada.png"));
    WIRE_SET(&u, created_at, INT64_C(1769903999123456));
    WIRE_SET(&u, updated_at, INT64_C(1769903999654321));
    return u;
}

const char *sample_told(struct arena *a, const struct err *e)
{
    struct buf b;
    const char *told;

    if (!e)
        return "ok";
    buf_init(&b, TOLD_MAX_BYTES);
    buf_printf(&b, "%s", e->code->name);
    if (!e->fields)
        buf_printf(&b, ": %.*s", STR_FMT(e->detail));
    for (const struct err_field *f = e->fields; f; f = f->next)
        buf_printf(&b, "%s%.*s %.*s", f == e->fields ? " " : "; ", STR_FMT(f->pointer),
                   STR_FMT(f->detail));
    told = arena_str(a, buf_view(&b)).p;
    buf_fini(&b);
    return told;
}
