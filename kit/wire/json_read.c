// SPDX-License-Identifier: Apache-2.0
/*
 * JSON to structs. yyjson parses strictly (RFC 8259, UTF-8 checked) into the arena; the
 * walk over its values follows the table.
 */
#include "kit/wire/internal.h"

#include "kit/base/mem.h"

#include <stdlib.h>
#include <yyjson.h>

enum { SMALL_DOCUMENT_BYTES = 1024 };

struct json_read {
    struct arena *a;
    struct wire_report report;
    bool skip_unknown;
};

/* ---- yyjson's memory ----
 *
 * Strings stay where the document is, which is a copy in the arena. The values of a small
 * document go to the arena too; those of a big one, up to sixteen times its size when it
 * is hostile, are freed as soon as it is read. */

static void *arena_malloc(void *ctx, size_t size)
{
    return arena_alloc(ctx, size);
}

static void *arena_realloc(void *ctx, void *ptr, size_t old_size, size_t size)
{
    void *moved = arena_alloc(ctx, size);

    return memcpy(moved, ptr, old_size < size ? old_size : size);
}

static void arena_free(void *ctx, void *ptr)
{
    (void)ctx;
    (void)ptr;
}

static void *heap_malloc(void *ctx, size_t size)
{
    (void)ctx;
    return mem_realloc(NULL, size);
}

static void *heap_realloc(void *ctx, void *ptr, size_t old_size, size_t size)
{
    (void)ctx;
    (void)old_size;
    return mem_realloc(ptr, size);
}

static void heap_free(void *ctx, void *ptr)
{
    (void)ctx;
    free(ptr);
}

/* To be freed by yyjson_doc_free; NULL: *why. */
static yyjson_doc *parse(struct arena *a, struct str json, yyjson_read_err *why)
{
    const yyjson_alc in_arena = {arena_malloc, arena_realloc, arena_free, a};
    const yyjson_alc in_heap = {heap_malloc, heap_realloc, heap_free, NULL};
    char *copy = arena_alloc(a, json.n + YYJSON_PADDING_SIZE);

    if (json.n > 0)
        memcpy(copy, json.p, json.n);
    return yyjson_read_opts(copy, json.n, YYJSON_READ_INSITU,
                            json.n <= SMALL_DOCUMENT_BYTES ? &in_arena : &in_heap, why);
}

static const struct err *syntax_error(struct arena *a, struct str json,
                                      const yyjson_read_err *why)
{
    size_t line = 1, start = 0;

    if (json.n == 0)
        return err_new(a, &ERR_CODE_BAD_JSON, "the body is empty");
    for (size_t i = 0; i < why->pos && i < json.n; i++) {
        if (json.p[i] == '\n') {
            line++;
            start = i + 1;
        }
    }
    return err_new(a, &ERR_CODE_BAD_JSON, "line %zu, byte %zu: %s", line,
                   why->pos - start + 1, why->msg);
}

/* yyjson keeps all values of a document in one array, containers before their content. */
static bool depth_is_bounded(yyjson_doc *doc)
{
    const yyjson_val *ends[WIRE_DEPTH_MAX];
    yyjson_val *v = yyjson_doc_get_root(doc);
    const yyjson_val *end = v + yyjson_doc_get_val_count(doc);
    unsigned depth = 0;

    for (; v < end; v++) {
        while (depth > 0 && v >= ends[depth - 1])
            depth--;
        if (!yyjson_is_ctn(v))
            continue;
        if (depth == WIRE_DEPTH_MAX)
            return false;
        ends[depth++] = unsafe_yyjson_get_next(v);
    }
    return true;
}

/* ---- leaves ---- */

static struct str text_of(yyjson_val *v)
{
    return (struct str){unsafe_yyjson_get_str(v), unsafe_yyjson_get_len(v)};
}

/* Beyond int64_t a number is still an integer, but out of the field's bounds. */
static bool read_huge_i64(struct json_read *c, const struct wire_path *at,
                          const struct wire_field *f, yyjson_val *v)
{
    double real = yyjson_is_real(v) ? unsafe_yyjson_get_real(v) : 0;

    if (yyjson_is_uint(v) || real >= 0x1p63)
        wire_bad_high(&c->report, at, f);
    else if (real < -0x1p63)
        wire_bad_low(&c->report, at, f);
    else
        wire_bad_kind(&c->report, at, f);
    return false;
}

static bool read_i64(struct json_read *c, const struct wire_path *at,
                     const struct wire_field *f, yyjson_val *v, int64_t *out)
{
    if (yyjson_is_uint(v) && unsafe_yyjson_get_uint(v) <= INT64_MAX)
        *out = (int64_t)unsafe_yyjson_get_uint(v);
    else if (yyjson_is_sint(v) &&
             unsafe_yyjson_get_sint(v) < 0) /* -0 is not an integer */
        *out = unsafe_yyjson_get_sint(v);
    else
        return read_huge_i64(c, at, f, v);
    return true;
}

static bool read_f64(struct json_read *c, const struct wire_path *at,
                     const struct wire_field *f, yyjson_val *v, double *out)
{
    if (!yyjson_is_num(v)) {
        wire_bad_kind(&c->report, at, f);
        return false;
    }
    *out = yyjson_get_num(v);
    return true;
}

static bool read_flag(struct json_read *c, const struct wire_path *at,
                      const struct wire_field *f, yyjson_val *v, bool *out)
{
    if (!yyjson_is_bool(v)) {
        wire_bad_kind(&c->report, at, f);
        return false;
    }
    *out = unsafe_yyjson_get_bool(v);
    return true;
}

static bool read_text(struct json_read *c, const struct wire_path *at,
                      const struct wire_field *f, yyjson_val *v, void *out)
{
    if (!yyjson_is_str(v)) {
        wire_bad(&c->report, at, "must be a string");
        return false;
    }
    if (!wire_value_from_text(c->a, f, text_of(v), out)) {
        wire_bad_kind(&c->report, at, f);
        return false;
    }
    return true;
}

static void read_leaf(struct json_read *c, const struct wire_path *at,
                      const struct wire_field *f, yyjson_val *v, void *out)
{
    bool good;

    switch (f->kind) {
    case WIRE_KIND_i64: good = read_i64(c, at, f, v, out); break;
    case WIRE_KIND_f64: good = read_f64(c, at, f, v, out); break;
    case WIRE_KIND_flag: good = read_flag(c, at, f, v, out); break;
    default: good = read_text(c, at, f, v, out);
    }
    if (good)
        wire_check_leaf(&c->report, at, f, out);
}

static void read_strs_items(struct json_read *c, const struct wire_path *at,
                            yyjson_val *array, struct str_list *list)
{
    size_t i, n;
    yyjson_val *v;

    yyjson_arr_foreach(array, i, n, v)
    {
        const struct wire_path here = {.up = at, .index = i};

        if (yyjson_is_str(v)) {
            list->v[i] = text_of(v);
            wire_check_strs_item(&c->report, &here, list->v[i]);
        } else {
            wire_bad(&c->report, &here, "must be a string");
        }
    }
}

static void read_strs(struct json_read *c, const struct wire_path *at,
                      const struct wire_field *f, yyjson_val *v, struct str_list *out)
{
    if (!yyjson_is_arr(v)) {
        wire_bad_kind(&c->report, at, f);
    } else if (wire_check_count(&c->report, at, f, unsafe_yyjson_get_len(v))) {
        out->n = unsafe_yyjson_get_len(v);
        out->v = ARENA_ARRAY(c->a, struct str, out->n);
        read_strs_items(c, at, v, out);
    }
}

/* ---- messages: an error they return is about the document as a whole ---- */

static const struct err *read_message(struct json_read *c, const struct wire_path *at,
                                      const struct wire_msg *m, yyjson_val *v, void *out);

static const struct err *read_obj(struct json_read *c, const struct wire_path *at,
                                  const struct wire_field *f, yyjson_val *v, void *out)
{
    void *msg = arena_alloc(c->a, f->sub->size);

    memcpy(out, &msg, sizeof msg);
    return read_message(c, at, f->sub, v, msg);
}

static const struct err *read_list(struct json_read *c, const struct wire_path *at,
                                   const struct wire_field *f, yyjson_val *array,
                                   void *out)
{
    struct wire_list list = {.n = yyjson_arr_size(array)};
    const struct err *e = NULL;
    size_t i, n;
    yyjson_val *v;

    if (!yyjson_is_arr(array)) {
        wire_bad_kind(&c->report, at, f);
        return NULL;
    }
    if (!wire_check_count(&c->report, at, f, list.n))
        return NULL;
    list.v = arena_alloc(c->a, list.n * f->sub->size);
    memcpy(out, &list, sizeof list);
    yyjson_arr_foreach(array, i, n, v)
    {
        const struct wire_path here = {.up = at, .index = i};

        if (!e)
            e = read_message(c, &here, f->sub, v, wire_list_item(list, f, i));
    }
    return e;
}

static const struct err *read_field(struct json_read *c, const struct wire_path *at,
                                    const struct wire_field *f, yyjson_val *v, void *out)
{
    switch (f->kind) {
    case WIRE_KIND_obj: return read_obj(c, at, f, v, out);
    case WIRE_KIND_list: return read_list(c, at, f, v, out);
    case WIRE_KIND_strs: read_strs(c, at, f, v, out); return NULL;
    default: read_leaf(c, at, f, v, out); return NULL;
    }
}

static const struct err *read_pair(struct json_read *c, const struct wire_path *at,
                                   const struct wire_field *f, yyjson_val *v, void *out)
{
    bool *has;

    if (!f && c->skip_unknown)
        return NULL;
    if (!f) {
        wire_bad(&c->report, at, "is not a known field");
        return NULL;
    }
    has = wire_has_flag(out, f);
    if (*has)
        return err_new(c->a, &ERR_CODE_BAD_JSON, "%.*s comes twice",
                       STR_FMT(wire_json_pointer(c->a, at)));
    *has = true;
    return read_field(c, at, f, v, wire_value(out, f));
}

static const struct err *read_message(struct json_read *c, const struct wire_path *at,
                                      const struct wire_msg *m, yyjson_val *v, void *out)
{
    const struct err *e = NULL;
    yyjson_obj_iter it;
    unsigned hint = 0;

    if (!yyjson_obj_iter_init(v, &it)) {
        wire_bad(&c->report, at, "must be an object");
        return NULL;
    }
    for (yyjson_val *key = yyjson_obj_iter_next(&it); key && !e;
         key = yyjson_obj_iter_next(&it)) {
        const struct wire_path here = {.up = at, .name = text_of(key)};

        e = read_pair(c, &here, wire_field_next(m, &hint, here.name),
                      yyjson_obj_iter_get_val(key), out);
    }
    if (!e)
        wire_check_missing(&c->report, at, m, out);
    return e;
}

static const struct err *read_root(struct json_read *c, const struct wire_msg *m,
                                   yyjson_doc *doc, void *out)
{
    const struct err *e;

    if (!depth_is_bounded(doc))
        return err_new(c->a, &ERR_CODE_BAD_JSON, "nested deeper than %d levels",
                       WIRE_DEPTH_MAX);
    e = read_message(c, NULL, m, yyjson_doc_get_root(doc), out);
    return e ? e : wire_report_end(&c->report);
}

static const struct err *read_document(struct arena *a, const struct wire_msg *m,
                                       struct str json, bool skip_unknown, void *out)
{
    struct json_read c = {a, wire_report_of_body(a), skip_unknown};
    yyjson_read_err why = {0};
    yyjson_doc *doc = parse(a, json, &why);
    const struct err *e;

    if (!doc)
        return syntax_error(a, json, &why);
    e = read_root(&c, m, doc, out);
    yyjson_doc_free(doc);
    return e;
}

const struct err *wire_from_json(struct arena *a, const struct wire_msg *m,
                                 struct str json, void *out)
{
    return read_document(a, m, json, false, out);
}

const struct err *wire_from_json_lenient(struct arena *a, const struct wire_msg *m,
                                         struct str json, void *out)
{
    return read_document(a, m, json, true, out);
}

bool wire_f64_from_text(struct arena *a, struct str text, double *out)
{
    yyjson_read_err why;
    yyjson_doc *doc = parse(a, text, &why);
    yyjson_val *v = doc ? yyjson_doc_get_root(doc) : NULL;
    bool good = yyjson_is_num(v) && text.p[0] > ' ' && text.p[text.n - 1] > ' ';

    if (good)
        *out = yyjson_get_num(v);
    yyjson_doc_free(doc);
    return good;
}
