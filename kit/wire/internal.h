// SPDX-License-Identifier: Apache-2.0
/*
 * What the files of kit/wire share and nobody else sees: access to a field inside its
 * struct, the path to a value, the report of bad fields, and the checks on one value.
 * Two sorts of failure: a document that is malformed ends the reading at once and is a
 * returned err; a bad field goes into the report and the reading goes on.
 */
#ifndef KIT_WIRE_INTERNAL_H
#define KIT_WIRE_INTERNAL_H

#include "kit/wire/wire.h"

enum { WIRE_ERRORS_MAX = 32, WIRE_NAME_SHOWN_MAX = 64, WIRE_STRS_ITEM_MAX = 256 };

/* Wall times that RFC 3339 can write: the years 0000 to 9999. */
#define WIRE_TIME_MIN_US INT64_C(-62167219200000000)
#define WIRE_TIME_MAX_US INT64_C(253402300799999999)

/* ---- fields in structs ---- */

/* A struct M_list without its type; moved by memcpy. */
struct wire_list {
    void *v;
    size_t n;
};

static inline void *wire_value(void *msg, const struct wire_field *f)
{
    return (char *)msg + f->offset;
}

static inline const void *wire_value_const(const void *msg, const struct wire_field *f)
{
    return (const char *)msg + f->offset;
}

static inline bool *wire_has_flag(void *msg, const struct wire_field *f)
{
    return (bool *)(void *)((char *)msg + f->has_offset);
}

static inline bool wire_has(const void *msg, const struct wire_field *f)
{
    return *(const bool *)(const void *)((const char *)msg + f->has_offset);
}

static inline struct wire_list wire_list_get(const void *value)
{
    struct wire_list list;

    memcpy(&list, value, sizeof list);
    return list;
}

/* Element i of a list of f. */
static inline void *wire_list_item(struct wire_list list, const struct wire_field *f,
                                   size_t i)
{
    return (char *)list.v + i * f->sub->size;
}

static inline const void *wire_obj_get(const void *value)
{
    const void *msg;

    memcpy(&msg, value, sizeof msg);
    return msg;
}

static inline unsigned wire_enum_get(const void *value)
{
    unsigned v;

    memcpy(&v, value, sizeof v);
    return v;
}

/* wire_field_find that tries *hint first; *hint becomes the field after the found one.
 * Writers keep the order of the table, so nearly every look-up is one comparison. */
static inline const struct wire_field *wire_field_next(const struct wire_msg *m,
                                                       unsigned *hint, struct str name)
{
    const struct wire_field *f = m->fields + *hint;

    if (*hint >= m->count || f->name_len != name.n ||
        memcmp(f->name, name.p, name.n) != 0)
        f = wire_field_find(m, name);
    if (f)
        *hint = (unsigned)(f - m->fields) + 1;
    return f;
}

/* ---- where a value is, and what is wrong there ---- */

/* One step from the root to a value, on the stack of the reader; NULL is the root. */
struct wire_path {
    const struct wire_path *up;
    struct str name; /* absent: an array element */
    size_t index;
};

struct wire_report {
    struct arena *a;
    const struct err_code *code;
    const char *thing; /* "field", "parameter" */
    struct str (*pointer)(struct arena *a, const struct wire_path *at);
    struct err *err; /* NULL while all is well */
    unsigned count;
};

struct str wire_json_pointer(struct arena *a, const struct wire_path *at);

/* A name from outside, cut at WIRE_NAME_SHOWN_MAX bytes, only printable ASCII. */
struct str wire_name_shown(struct arena *a, struct str name);

struct wire_report wire_report_of_body(struct arena *a);

__attribute__((format(printf, 3, 4))) void wire_bad(struct wire_report *r,
                                                    const struct wire_path *at,
                                                    const char *fmt, ...);
/* "must be a string", "must be one of pending, paid": not a value of the field's kind. */
void wire_bad_kind(struct wire_report *r, const struct wire_path *at,
                   const struct wire_field *f);
void wire_bad_low(struct wire_report *r, const struct wire_path *at,
                  const struct wire_field *f);
void wire_bad_high(struct wire_report *r, const struct wire_path *at,
                   const struct wire_field *f);

/* NULL when nothing was bad. */
MUST_CHECK const struct err *wire_report_end(struct wire_report *r);

/* ---- the checks; wire_validate and all readers use these and no others ---- */

/* Kind and bounds of one value; not for obj, list, strs, which are walked by the caller.
 */
void wire_check_leaf(struct wire_report *r, const struct wire_path *at,
                     const struct wire_field *f, const void *value);
/* Of a list or strs. False: too many to be looked at. */
bool wire_check_count(struct wire_report *r, const struct wire_path *at,
                      const struct wire_field *f, size_t n);
void wire_check_strs_item(struct wire_report *r, const struct wire_path *at,
                          struct str s);
void wire_check_missing(struct wire_report *r, const struct wire_path *at,
                        const struct wire_msg *m, const void *msg);

bool wire_is_email(struct str s);
bool wire_is_url(struct str s);

/* ---- values ---- */

/* The kinds whose JSON form is a string. False: not a value of the kind. */
bool wire_value_from_text(struct arena *a, const struct wire_field *f, struct str text,
                          void *value);
/* Kinds a JSON string carries. */
static inline bool wire_kind_is_text(enum wire_kind kind)
{
    return kind < WIRE_KIND_i64 || (kind > WIRE_KIND_flag && kind < WIRE_KIND_obj);
}

/* A JSON number in text, without blanks around it. */
bool wire_f64_from_text(struct arena *a, struct str text, double *out);

void wire_json_int(struct buf *b, int64_t v);
void wire_json_double(struct buf *b, double v);
void wire_json_bytes(struct buf *b, struct str s); /* base64url */
void wire_json_time(struct buf *b, int64_t wall_us);
void wire_json_uuid(struct buf *b, struct uuid u);
/* sep, then the name of f and a colon. */
void wire_json_key(struct buf *b, char sep, const struct wire_field *f);
/* False, and nothing written, when s is not UTF-8. */
MUST_CHECK bool wire_json_utf8(struct buf *b, struct str s);

/* ---- msgpack ---- */

/* The rest of v, whose head was read; containers may nest `depth` deep. */
MUST_CHECK bool wire_mp_skip_rest(struct mp_reader *r, const struct mp_value *v,
                                  unsigned depth);
/* A value that is not a container into its place in the struct. False: another kind. */
bool wire_value_from_mp(const struct wire_field *f, const struct mp_value *v,
                        void *value);

#endif
