// SPDX-License-Identifier: Apache-2.0
/* See gateway/examples.h. */
#include "gateway/examples.h"

#include "kit/http/http.h"
#include "proto/errors.h"

#include <inttypes.h>

#define AN_ID    "0198f0a4-7d5e-7b1a-9c2f-4e6d8a1b3c5f"
#define A_TIME   "2026-01-31T09:30:00Z"
#define LEFT_OUT NULL
#define WHOEVER  NULL
#define TEXT     "example"

/* The first row that fits counts. The accounts are those of ./dev up: who tries the page
 * there need not register first. */
static const struct {
    const char *msg; /* WHOEVER: of any message */
    const char *field;
    const char *json;
} by_name[] = {
    {"login", "email", "\"alice@example.com\""},
    {"login", "password", "\"alice-password\""},
    {"user_patch_body", "status", LEFT_OUT}, /* for administrators */
    {"user_patch_body", "tenant", LEFT_OUT},
    {"order", "total", "4980"},
    {"product", "name", "\"Desk lamp\""},
    {"product_create", "name", "\"Desk lamp\""},
    {"product_patch_body", "name", "\"Desk lamp\""},
    {"order_item", "name", "\"Desk lamp\""},
    {"job", "error_code", LEFT_OUT}, /* it goes well */
    {"job", "error_detail", LEFT_OUT},
    {"overview_reply", "unavailable", "[]"},
    {"report_create", "to", "\"2026-02-28T09:30:00Z\""},
    {WHOEVER, "email", "\"ada@example.com\""},
    {WHOEVER, "name", "\"Ada Lovelace\""},
    {WHOEVER, "password", "\"correct horse battery\""},
    {WHOEVER, "roles", "[\"user\"]"},
    {WHOEVER, "sku", "\"LAMP-1\""},
    {WHOEVER, "description", "\"Steel, with a long arm.\""},
    {WHOEVER, "quantity", "2"},
    {WHOEVER, "price", "2490"},
    {WHOEVER, "unit_price", "2490"},
    {WHOEVER, "stock", "120"},
    {WHOEVER, "active", "true"},
    {WHOEVER, "progress", "40"},
    {WHOEVER, "access_token",
     "\"eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIwMTk4In0.c2lnbmF0dXJl\""},
    {WHOEVER, "refresh_token", "\"b3BhcXVlLCBnb29kIGZvciBvbmU\""},
    {WHOEVER, "token_type", "\"Bearer\""},
    {WHOEVER, "expires_in", "600"},
    {WHOEVER, "refresh_expires_in", "2592000"},
    {WHOEVER, "next_cursor", "\"AZjwpH1eexqcL05tihs8Xw\""},
};

static const char *known(const char *msg, const char *field, bool *found)
{
    for (size_t i = 0; i < sizeof by_name / sizeof *by_name; i++) {
        bool anybody = by_name[i].msg == WHOEVER;

        *found = strcmp(by_name[i].field, field) == 0 &&
                 (anybody || (msg && strcmp(by_name[i].msg, msg) == 0));
        if (*found)
            return by_name[i].json;
    }
    return NULL;
}

/* ---- by kind ---- */

static int64_t clamp(int64_t v, int64_t min, int64_t max)
{
    return v < min ? min : v > max ? max : v;
}

/* "exampleexam", as long as it must be and may be. */
static void put_text(struct buf *b, const struct wire_field *f)
{
    int64_t n = clamp((int64_t)strlen(TEXT), f->min, f->max);

    buf_byte(b, '"');
    for (int64_t i = 0; i < n; i++)
        buf_byte(b, (uint8_t)TEXT[(size_t)i % strlen(TEXT)]);
    buf_byte(b, '"');
}

static void put_bytes(struct buf *b, const struct wire_field *f)
{
    int64_t n = clamp(0, f->min, f->max);

    buf_byte(b, '"');
    for (int64_t i = 0; i < n / 3 * 4 + (n % 3 ? n % 3 + 1 : 0); i++)
        buf_byte(b, 'A');
    buf_byte(b, '"');
}

static void put_list(struct buf *b,
                     const struct wire_field *f) // NOLINT(misc-no-recursion)
{
    int64_t n = clamp(1, f->min, f->max);

    buf_byte(b, '[');
    for (int64_t i = 0; i < n; i++) {
        if (i > 0)
            buf_byte(b, ',');
        if (f->kind == WIRE_KIND_list)
            example_write(b, f->sub);
        else
            buf_str(b, STR("\"" TEXT "\""));
    }
    buf_byte(b, ']');
}

void example_write_field(struct buf *b, // NOLINT(misc-no-recursion)
                         const struct wire_field *f)
{
    switch (f->kind) {
    case WIRE_KIND_str:
    case WIRE_KIND_text:
    case WIRE_KIND_secret: put_text(b, f); break;
    case WIRE_KIND_email: buf_str(b, STR("\"ada@example.com\"")); break;
    case WIRE_KIND_url: buf_str(b, STR("\"https://example.com/hook\"")); break;
    case WIRE_KIND_currency: buf_str(b, STR("\"EUR\"")); break;
    case WIRE_KIND_bytes: put_bytes(b, f); break;
    case WIRE_KIND_i64:
    case WIRE_KIND_f64: buf_printf(b, "%" PRId64, clamp(1, f->min, f->max)); break;
    case WIRE_KIND_flag: buf_str(b, STR("false")); break;
    case WIRE_KIND_uuid: buf_str(b, STR("\"" AN_ID "\"")); break;
    case WIRE_KIND_time: buf_str(b, STR("\"" A_TIME "\"")); break;
    case WIRE_KIND_enum: wire_json_string(b, str_of(f->en->labels[0])); break;
    case WIRE_KIND_obj: example_write(b, f->sub); break;
    case WIRE_KIND_list:
    case WIRE_KIND_strs: put_list(b, f); break;
    }
}

void example_write(struct buf *b, // NOLINT(misc-no-recursion): messages nest a few levels
                   const struct wire_msg *m)
{
    const char *sep = "";

    buf_byte(b, '{');
    for (unsigned i = 0; i < m->count; i++) {
        const struct wire_field *f = &m->fields[i];
        bool found;
        const char *json = known(m->name, f->name, &found);

        if (found && !json)
            continue;
        buf_printf(b, "%s\"%s\":", sep, f->name);
        if (found)
            buf_str(b, str_of(json));
        else
            example_write_field(b, f);
        sep = ",";
    }
    buf_byte(b, '}');
}

/* ---- problems ---- */

static const struct err_code *code_of(enum err_kind kind)
{
    for (const struct err_code *const *c = ERR_CODES; *c; c++)
        if ((*c)->kind == kind)
            return *c;
    return &ERR_CODE_INTERNAL;
}

void example_write_problem(struct buf *b, enum err_kind kind)
{
    struct err_field field = {.pointer = STR("/items/0/quantity"),
                              .detail = STR("must be 1 to 10000")};
    const struct err e = {.code = code_of(kind),
                          .fields = kind == ERR_INVALID ? &field : NULL};

    http_problem(b, &e, STR("/v1/orders"), STR(AN_ID));
}
