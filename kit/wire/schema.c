// SPDX-License-Identifier: Apache-2.0
/*
 * JSON Schema (2020-12) of message tables, so that the documentation is what validates.
 */
#include "kit/wire/internal.h"

#include <inttypes.h>

/* What is constant about the schema of a kind; members are written in this order. */
struct kind_schema {
    const char *type, *format, *pattern;
    const char *min_word, *max_word; /* names of the bounds; absent: the kind has none */
    const char *more;                /* members as JSON */
};

#define LENGTHS .min_word = "minLength", .max_word = "maxLength"
#define VALUES  .min_word = "minimum", .max_word = "maximum"
#define ITEMS   .min_word = "minItems", .max_word = "maxItems"

static const struct kind_schema kinds[] = {
    [WIRE_KIND_str] = {.type = "string", LENGTHS},
    [WIRE_KIND_text] = {.type = "string", LENGTHS},
    [WIRE_KIND_email] = {.type = "string", .format = "email", LENGTHS},
    [WIRE_KIND_url] = {.type = "string",
                       .format = "uri",
                       .pattern = "^[Hh][Tt][Tt][Pp][Ss]?://",
                       LENGTHS},
    [WIRE_KIND_secret] = {.type = "string", .format = "password", LENGTHS},
    [WIRE_KIND_currency] = {.type = "string", .pattern = "^[A-Z]{3}$"},
    [WIRE_KIND_bytes] = {.type = "string",
                         .pattern = "^[A-Za-z0-9_-]*$",
                         LENGTHS,
                         .more = ",\"contentEncoding\":\"base64url\""},
    [WIRE_KIND_i64] = {.type = "integer", .format = "int64", VALUES},
    [WIRE_KIND_f64] = {.type = "number", .format = "double", VALUES},
    [WIRE_KIND_flag] = {.type = "boolean"},
    [WIRE_KIND_uuid] = {.type = "string", .format = "uuid"},
    [WIRE_KIND_time] = {.type = "string", .format = "date-time"},
    [WIRE_KIND_list] = {.type = "array", ITEMS},
    [WIRE_KIND_strs] = {.type = "array",
                        ITEMS,
                        .more = ",\"items\":{\"type\":\"string\",\"minLength\":1,"
                                "\"maxLength\":256}"},
};

static void put_member(struct buf *b, const char *name, const char *text)
{
    if (!text)
        return;
    buf_printf(b, ",\"%s\":", name);
    wire_json_string(b, str_of(text));
}

static void put_reference(struct buf *b, const char *name)
{
    buf_printf(b, "\"$ref\":\"#/components/schemas/%s\"", name);
}

/* Letters of base64url for n bytes. */
static int64_t letters_of(int64_t n)
{
    return n / 3 * 4 + (n % 3 ? n % 3 + 1 : 0);
}

static void put_bounds(struct buf *b, const struct wire_field *f)
{
    const struct kind_schema *k = kinds + f->kind;
    bool letters = f->kind == WIRE_KIND_bytes;

    if (k->min_word)
        buf_printf(b, ",\"%s\":%" PRId64, k->min_word,
                   letters ? letters_of(f->min) : f->min);
    if (k->max_word)
        buf_printf(b, ",\"%s\":%" PRId64, k->max_word,
                   letters ? letters_of(f->max) : f->max);
}

static void put_kind(struct buf *b, const struct wire_field *f)
{
    const struct kind_schema *k = kinds + f->kind;

    buf_printf(b, "\"type\":\"%s\"", k->type);
    put_member(b, "format", k->format);
    put_member(b, "pattern", k->pattern);
    put_bounds(b, f);
    if (f->kind == WIRE_KIND_list) {
        buf_str(b, STR(",\"items\":{"));
        put_reference(b, f->sub->name);
        buf_byte(b, '}');
    }
    if (k->more)
        buf_str(b, str_of(k->more));
}

void wire_field_schema(struct buf *b, const struct wire_field *f)
{
    buf_byte(b, '{');
    if (f->kind == WIRE_KIND_obj)
        put_reference(b, f->sub->name);
    else if (f->kind == WIRE_KIND_enum)
        put_reference(b, f->en->name);
    else
        put_kind(b, f);
    if (f->doc && f->doc[0])
        put_member(b, "description", f->doc);
    buf_byte(b, '}');
}

static void put_required(struct buf *b, const struct wire_msg *m)
{
    char sep = '[';

    for (unsigned i = 0; i < m->count; i++) {
        if (!m->fields[i].required)
            continue;
        if (sep == '[') /* the array must not be empty */
            buf_str(b, STR(",\"required\":"));
        buf_printf(b, "%c\"%s\"", sep, m->fields[i].name);
        sep = ',';
    }
    if (sep == ',')
        buf_byte(b, ']');
}

void wire_schema(struct buf *b, const struct wire_msg *m)
{
    buf_str(b, STR("{\"type\":\"object\",\"properties\":"));
    for (unsigned i = 0; i < m->count; i++) {
        wire_json_key(b, i ? ',' : '{', m->fields + i);
        wire_field_schema(b, m->fields + i);
    }
    buf_byte(b, '}');
    put_required(b, m);
    buf_str(b, STR(",\"additionalProperties\":false}"));
}

void wire_enum_schema(struct buf *b, const struct wire_enum *e)
{
    buf_str(b, STR("{\"type\":\"string\",\"enum\":"));
    for (unsigned i = 0; i < e->count; i++) {
        buf_byte(b, i ? ',' : '[');
        wire_json_string(b, str_of(e->labels[i]));
    }
    buf_str(b, STR("]}"));
}
