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

static const struct kind_schema kinds[] = {
    [WIRE_KIND_str] = {"string", .min_word = "minLength", .max_word = "maxLength"},
    [WIRE_KIND_text] = {"string", .min_word = "minLength", .max_word = "maxLength"},
    [WIRE_KIND_email] = {"string", "email", .min_word = "minLength",
                         .max_word = "maxLength"},
    [WIRE_KIND_url] = {"string", "uri", "^[Hh][Tt][Tt][Pp][Ss]?://", "minLength",
                       "maxLength"},
    [WIRE_KIND_secret] = {"string", "password", NULL, "minLength", "maxLength",
                          ",\"writeOnly\":true"},
    [WIRE_KIND_currency] = {"string", .pattern = "^[A-Z]{3}$"},
    [WIRE_KIND_bytes] = {"string", NULL, "^[A-Za-z0-9_-]*$", "minLength", "maxLength",
                         ",\"contentEncoding\":\"base64url\""},
    [WIRE_KIND_i64] = {"integer", "int64", NULL, "minimum", "maximum"},
    [WIRE_KIND_f64] = {"number", "double", NULL, "minimum", "maximum"},
    [WIRE_KIND_flag] = {"boolean"},
    [WIRE_KIND_uuid] = {"string", "uuid"},
    [WIRE_KIND_time] = {"string", "date-time"},
    [WIRE_KIND_list] = {"array", NULL, NULL, "minItems", "maxItems"},
    [WIRE_KIND_strs] =
        {"array", NULL, NULL, "minItems", "maxItems",
         ",\"items\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":256}"},
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
