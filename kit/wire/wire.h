// SPDX-License-Identifier: Apache-2.0
/*
 * Message tables. From one table come the C struct, its msgpack and JSON forms,
 * validation, query parameters, SQL row mapping (kit/pg) and the OpenAPI schema:
 *
 *     #define USER_CREATE(F, T)                                                  \
 *         F(T, email, email, REQUIRED, 3, 254, "login address")                  \
 *         F(T, str,   name,  REQUIRED, 1, 100, "display name")
 *     WIRE_MESSAGE(user_create, USER_CREATE)      in the header
 *     WIRE_DEFINE(user_create, USER_CREATE)       in one .c file
 *
 * gives struct user_create {struct str email; bool has_email; ...} and the descriptor
 * user_create_msg. Columns: kind, name, REQUIRED or OPTIONAL, min, max, sentence for
 * people.
 *
 *   kind      C type            bounds        JSON
 *   str       struct str        code points   string of one line, no control characters
 *   text      struct str        code points   string, line breaks and tabs allowed
 *   email     struct str        bytes         string, address syntax
 *   url       struct str        bytes         string, http or https
 *   secret    struct str        bytes         string, never logged or echoed in errors
 *   currency  struct str        (3, 3)        string, ISO 4217 letters
 *   bytes     struct str        bytes         string, base64url; raw in msgpack
 *   i64       int64_t           value         integer
 *   f64       double            value         number
 *   flag      bool              -             boolean
 *   uuid      struct uuid       -             string; 16 raw bytes in msgpack
 *   time      int64_t, wall us  -             string, RFC 3339; integer in msgpack
 *   enum(E)   enum E            -             string of the enum's table; in msgpack too
 *   obj(M)    struct M *        -             object
 *   list(M)   struct M_list     elements      array of objects
 *   strs      struct str_list   elements      array of strings of 1..256 code points
 *
 * Msgpack bodies are maps keyed by field name; unknown names are skipped there (services
 * deploy independently), but are errors in JSON and in parameters (a typo must be seen).
 * All readers are bounded: depth WIRE_DEPTH_MAX, counts by the bytes that are left, so
 * the memory taken is O(input). Functions are pure; any thread.
 */
#ifndef KIT_WIRE_WIRE_H
#define KIT_WIRE_WIRE_H

#include "kit/base/arena.h"
#include "kit/base/buf.h"
#include "kit/base/err.h"
#include "kit/base/id.h"
#include "kit/base/str.h"

#include <stddef.h>
#include <stdint.h>

enum { WIRE_DEPTH_MAX = 16, WIRE_FIELDS_MAX = 256 };

enum wire_kind {
    WIRE_KIND_str,
    WIRE_KIND_text,
    WIRE_KIND_email,
    WIRE_KIND_url,
    WIRE_KIND_secret,
    WIRE_KIND_currency,
    WIRE_KIND_bytes,
    WIRE_KIND_i64,
    WIRE_KIND_f64,
    WIRE_KIND_flag,
    WIRE_KIND_uuid,
    WIRE_KIND_time,
    WIRE_KIND_enum,
    WIRE_KIND_obj,
    WIRE_KIND_list,
    WIRE_KIND_strs,
};

struct wire_msg;

/* The names of an enum, by value from 0. */
struct wire_enum {
    const char *name;
    const char *const *labels;
    unsigned count;
};

struct wire_field {
    const char *name;
    const char *doc;
    enum wire_kind kind;
    bool required;
    uint8_t name_len;
    uint32_t offset, has_offset; /* of the value and of its has_ flag in the struct */
    int64_t min, max;
    const struct wire_msg *sub; /* obj, list */
    const struct wire_enum *en; /* enum */
};

struct wire_msg {
    const char *name;
    const struct wire_field *fields;
    uint16_t count;
    uint32_t size; /* of the struct */
};

struct str_list {
    struct str *v;
    size_t n;
};

/* ---- the table machinery ---- */

#define WIRE_CTYPE_str      struct str
#define WIRE_CTYPE_text     struct str
#define WIRE_CTYPE_email    struct str
#define WIRE_CTYPE_url      struct str
#define WIRE_CTYPE_secret   struct str
#define WIRE_CTYPE_currency struct str
#define WIRE_CTYPE_bytes    struct str
#define WIRE_CTYPE_i64      int64_t
#define WIRE_CTYPE_f64      double
#define WIRE_CTYPE_flag     bool
#define WIRE_CTYPE_uuid     struct uuid
#define WIRE_CTYPE_time     int64_t
#define WIRE_CTYPE_enum(E)  enum E
#define WIRE_CTYPE_obj(M)   struct M *
#define WIRE_CTYPE_list(M)  struct M##_list
#define WIRE_CTYPE_strs     struct str_list

#define WIRE_TYPE_str      .kind = WIRE_KIND_str
#define WIRE_TYPE_text     .kind = WIRE_KIND_text
#define WIRE_TYPE_email    .kind = WIRE_KIND_email
#define WIRE_TYPE_url      .kind = WIRE_KIND_url
#define WIRE_TYPE_secret   .kind = WIRE_KIND_secret
#define WIRE_TYPE_currency .kind = WIRE_KIND_currency
#define WIRE_TYPE_bytes    .kind = WIRE_KIND_bytes
#define WIRE_TYPE_i64      .kind = WIRE_KIND_i64
#define WIRE_TYPE_f64      .kind = WIRE_KIND_f64
#define WIRE_TYPE_flag     .kind = WIRE_KIND_flag
#define WIRE_TYPE_uuid     .kind = WIRE_KIND_uuid
#define WIRE_TYPE_time     .kind = WIRE_KIND_time
#define WIRE_TYPE_enum(E)  .kind = WIRE_KIND_enum, .en = &E##_enum
#define WIRE_TYPE_obj(M)   .kind = WIRE_KIND_obj, .sub = &M##_msg
#define WIRE_TYPE_list(M)  .kind = WIRE_KIND_list, .sub = &M##_msg
#define WIRE_TYPE_strs     .kind = WIRE_KIND_strs

#define WIRE_NEED_REQUIRED true
#define WIRE_NEED_OPTIONAL false

#define WIRE_MEMBER(T, knd, nam, need, lo, hi, text) \
    WIRE_CTYPE_##knd nam;                            \
    bool has_##nam;
#define WIRE_ROW(T, knd, nam, need, lo, hi, text) \
    {.name = #nam,                                \
     .doc = text,                                 \
     WIRE_TYPE_##knd,                             \
     .required = WIRE_NEED_##need,                \
     .name_len = sizeof(#nam) - 1,                \
     .offset = offsetof(struct T, nam),           \
     .has_offset = offsetof(struct T, has_##nam), \
     .min = (lo),                                 \
     .max = (hi)},

/* struct T, struct T_list, T_msg. TABLE has 1 to WIRE_FIELDS_MAX rows. */
#define WIRE_MESSAGE(T, TABLE) \
    struct T {                 \
        TABLE(WIRE_MEMBER, T)  \
    };                         \
    struct T##_list {          \
        struct T *v;           \
        size_t n;              \
    };                         \
    extern const struct wire_msg T##_msg;
#define WIRE_DEFINE(T, TABLE)                                                 \
    static const struct wire_field T##_fields[] = {TABLE(WIRE_ROW, T)};       \
    _Static_assert(sizeof T##_fields / sizeof *T##_fields <= WIRE_FIELDS_MAX, \
                   "too many rows");                                          \
    const struct wire_msg T##_msg = {                                         \
        #T, T##_fields, sizeof T##_fields / sizeof *T##_fields, sizeof(struct T)};

/* #define ORDER_STATUS(V) V(ORDER_PENDING, "pending") V(ORDER_PAID, "paid") */
#define WIRE_ENUM_VALUE(symbol, label) symbol,
#define WIRE_ENUM_LABEL(symbol, label) label,
#define WIRE_ENUM(E, TABLE)            \
    enum E { TABLE(WIRE_ENUM_VALUE) }; \
    extern const struct wire_enum E##_enum;
#define WIRE_ENUM_DEFINE(E, TABLE)                                    \
    static const char *const E##_labels[] = {TABLE(WIRE_ENUM_LABEL)}; \
    const struct wire_enum E##_enum = {#E, E##_labels,                \
                                       sizeof E##_labels / sizeof *E##_labels};

/* Sets a field and its flag. */
#define WIRE_SET(msg, field, value) ((msg)->field = (value), (msg)->has_##field = true)

/* Label of a value; "?" outside of the table. */
const char *wire_enum_label(const struct wire_enum *e, unsigned value);
/* -1 when the label is not in the table. */
int wire_enum_value(const struct wire_enum *e, struct str label);

/* The field called name; NULL when there is none. */
const struct wire_field *wire_field_find(const struct wire_msg *m, struct str name);

/* ---- reading ----
 *
 * `out` is a zeroed struct of the message. Strings in the result point into the input or
 * the arena, so both must live as long. On error `out` is unspecified; the error
 * names every bad field (the first 32). Readers validate. No detail shows a value that
 * came in. */

/* request.malformed_json (400: syntax with position, UTF-8, depth, duplicate names) or
 * request.invalid (422: types, missing, unknown, bounds). */
MUST_CHECK const struct err *wire_from_json(struct arena *a, const struct wire_msg *m,
                                            struct str json, void *out);
/* The same for documents of others (tokens, key sets): unknown fields are skipped. */
MUST_CHECK const struct err *wire_from_json_lenient(struct arena *a,
                                                    const struct wire_msg *m,
                                                    struct str json, void *out);
/* Trailing bytes are an error too. request.malformed_msgpack or request.invalid. */
MUST_CHECK const struct err *wire_from_msgpack(struct arena *a, const struct wire_msg *m,
                                               struct str bytes, void *out);

/* From a query string or a path, percent-decoded already. `name` may be "filter[status]":
 * it fills the field filter_status, which has no other name. A strs parameter is "a,b,c".
 * A name that comes twice is an error, and obj and list fields cannot be parameters.
 * request.bad_parameter (400). */
struct wire_param {
    struct str name, value;
    bool in_path; /* its pointer in errors is {name}, not ?name */
};
MUST_CHECK const struct err *wire_from_params(struct arena *a, const struct wire_msg *m,
                                              const struct wire_param *params, size_t n,
                                              void *out);

/* Bounds and presence of a struct made in C; pointers in errors are as for JSON. */
MUST_CHECK const struct err *wire_validate(struct arena *a, const struct wire_msg *m,
                                           const void *in);

/* ---- writing: cannot fail, but for the cap of the buffer (b->failed) ---- */

/* Only fields whose has_ flag is set. */
void wire_to_msgpack(struct buf *b, const struct wire_msg *m, const void *in);
void wire_to_json(struct buf *b, const struct wire_msg *m, const void *in);
/* Straight from bytes to text, no struct between; checks well-formedness and kinds, not
 * bounds or presence; unknown fields are left out, a label that a newer enum has is
 * passed on. Fails as wire_from_msgpack does, and then leaves b as it was. */
MUST_CHECK const struct err *wire_msgpack_to_json(struct arena *a,
                                                  const struct wire_msg *m,
                                                  struct str bytes, struct buf *b);
/* s as a JSON string with its quotes. */
void wire_json_string(struct buf *b, struct str s);

/* The JSON Schema (2020-12, as in OpenAPI 3.1) of the message as one object; obj, list
 * and enum fields refer to "#/components/schemas/NAME". */
void wire_schema(struct buf *b, const struct wire_msg *m);
void wire_enum_schema(struct buf *b, const struct wire_enum *e);
/* The schema of one field alone, as parameters need it. */
void wire_field_schema(struct buf *b, const struct wire_field *f);

/* ---- msgpack by hand: for envelopes whose shape is not a table ---- */

struct mp_reader {
    const uint8_t *p, *end;
};
enum mp_type {
    MP_NIL,
    MP_BOOL,
    MP_INT,
    MP_UINT,
    MP_FLOAT,
    MP_STR,
    MP_BIN,
    MP_ARRAY,
    MP_MAP,
    MP_EXT
};
struct mp_value {
    enum mp_type type;
    union {
        bool flag;
        int64_t i;  /* MP_INT */
        uint64_t u; /* MP_UINT: only values above INT64_MAX, all else is MP_INT */
        double f;
        struct str s; /* MP_STR, MP_BIN, MP_EXT: into the input */
        uint32_t n; /* MP_ARRAY: elements, MP_MAP: pairs; as many as fit the bytes left */
    };
};
/* Next token; false on truncation or an impossible count. */
MUST_CHECK bool mp_next(struct mp_reader *r, struct mp_value *v);
/* Skips one whole value, nesting at most WIRE_DEPTH_MAX. */
MUST_CHECK bool mp_skip(struct mp_reader *r);

void mp_put_nil(struct buf *b);
void mp_put_bool(struct buf *b, bool v);
void mp_put_int(struct buf *b, int64_t v);
void mp_put_double(struct buf *b, double v);
void mp_put_str(struct buf *b, struct str s);
void mp_put_bin(struct buf *b, struct str s);
void mp_put_array(struct buf *b, uint32_t n);
void mp_put_map(struct buf *b, uint32_t n);

#endif
