// SPDX-License-Identifier: Apache-2.0
/* Errors to msgpack and back. */
#include "kit/rpc/envelope.h"

#include "kit/wire/wire.h"

#define KIT_CODE(symbol, name, kind, title) &ERR_CODE_##symbol,
static const struct err_code *const KIT_CODES[] = {KIT_ERRORS(KIT_CODE) NULL};

/* ---- writing ---------------------------------------------------------------- */

static uint32_t count_fields(const struct err *e)
{
    uint32_t n = 0;

    for (struct err_field *f = e->fields; f && n < RPC_ENVELOPE_FIELDS_MAX; f = f->next)
        n++;
    return n;
}

static void put_fields(struct buf *b, const struct err *e, uint32_t n)
{
    const struct err_field *f = e->fields;

    mp_put_str(b, STR("fields"));
    mp_put_array(b, n);
    for (; n > 0; n--, f = f->next) {
        mp_put_array(b, 2);
        mp_put_str(b, f->pointer);
        mp_put_str(b, f->detail);
    }
}

static void put_text(struct buf *b, struct str key, struct str value)
{
    mp_put_str(b, key);
    mp_put_str(b, value);
}

void rpc_envelope_put(struct buf *b, const struct err *e)
{
    uint32_t fields = count_fields(e);

    mp_put_map(b, 2u + (e->detail.n > 0) + (e->retry_after_ms > 0) + (fields > 0));
    put_text(b, STR("code"), str_of(e->code->name));
    put_text(b, STR("kind"), str_of(err_info(e)->label));
    if (e->detail.n > 0)
        put_text(b, STR("detail"), e->detail);
    if (e->retry_after_ms > 0) {
        mp_put_str(b, STR("retry_after_ms"));
        mp_put_int(b, e->retry_after_ms);
    }
    if (fields > 0)
        put_fields(b, e, fields);
}

/* ---- reading ---------------------------------------------------------------- */

struct envelope {
    struct arena *arena;
    struct str code, kind, detail;
    int64_t retry_after_ms;
    struct err_field *first, **last;
    uint32_t fields;
};

static bool read_text(struct mp_reader *r, struct str *out)
{
    struct mp_value v;

    if (!mp_next(r, &v) || v.type != MP_STR || !str_is_utf8(v.s))
        return false;
    *out = v.s;
    return true;
}

static bool read_code(struct mp_reader *r, struct envelope *e)
{
    return read_text(r, &e->code);
}

static bool read_kind(struct mp_reader *r, struct envelope *e)
{
    return read_text(r, &e->kind);
}

static bool read_detail(struct mp_reader *r, struct envelope *e)
{
    return read_text(r, &e->detail);
}

static bool read_retry_after(struct mp_reader *r, struct envelope *e)
{
    struct mp_value v;

    if (!mp_next(r, &v) || v.type != MP_INT || v.i < 0)
        return false;
    e->retry_after_ms = v.i;
    return true;
}

static bool read_field(struct mp_reader *r, struct envelope *e)
{
    struct err_field *f = ARENA_NEW(e->arena, struct err_field);
    struct mp_value pair;

    if (!mp_next(r, &pair) || pair.type != MP_ARRAY || pair.n != 2 ||
        !read_text(r, &f->pointer) || !read_text(r, &f->detail))
        return false;
    *e->last = f;
    e->last = &f->next;
    return true;
}

static bool read_fields(struct mp_reader *r, struct envelope *e)
{
    struct mp_value list;

    if (!mp_next(r, &list) || list.type != MP_ARRAY ||
        list.n > RPC_ENVELOPE_FIELDS_MAX - e->fields)
        return false;
    e->fields += list.n;
    for (uint32_t i = 0; i < list.n; i++)
        if (!read_field(r, e))
            return false;
    return true;
}

static const struct key {
    const char *name;
    bool (*read)(struct mp_reader *r, struct envelope *e);
} KEYS[] = {
    {"code", read_code},     {"kind", read_kind},
    {"detail", read_detail}, {"retry_after_ms", read_retry_after},
    {"fields", read_fields},
};

static bool read_pair(struct mp_reader *r, struct envelope *e)
{
    struct str name;

    if (!read_text(r, &name))
        return false;
    for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++)
        if (str_eq(name, str_of(KEYS[i].name)))
            return KEYS[i].read(r, e);
    return mp_skip(r);
}

static bool read_envelope(struct str body, struct envelope *e)
{
    struct mp_reader r = {(const uint8_t *)body.p, (const uint8_t *)body.p + body.n};
    struct mp_value map;

    if (!mp_next(&r, &map) || map.type != MP_MAP)
        return false;
    for (uint32_t i = 0; i < map.n; i++)
        if (!read_pair(&r, e))
            return false;
    return r.p == r.end && e->code.p && e->kind.p;
}

/* ---- the code ------------------------------------------------------------------------
 */

static const struct err_code *code_named(const struct err_code *const *codes,
                                         struct str name)
{
    for (; codes && *codes; codes++)
        if (str_eq(str_of((*codes)->name), name))
            return *codes;
    return NULL;
}

static const struct err_code *code_of_kind(struct str label)
{
    for (const struct err_code *const *c = KIT_CODES; *c; c++)
        if (str_eq(str_of(err_kind_info((*c)->kind)->label), label))
            return *c;
    return &ERR_CODE_INTERNAL;
}

static const struct err_code *code_of(const struct envelope *e,
                                      const struct err_code *const *codes)
{
    const struct err_code *code = code_named(codes, e->code);

    if (!code)
        code = code_named(KIT_CODES, e->code);
    return code ? code : code_of_kind(e->kind);
}

const struct err *rpc_envelope_read(struct arena *a, struct str body,
                                    const struct err_code *const *codes)
{
    struct envelope e = {.arena = a};
    struct err *err = ARENA_NEW(a, struct err);

    e.last = &e.first;
    if (!read_envelope(body, &e)) {
        err->code = &ERR_CODE_INTERNAL;
        return err;
    }
    err->code = code_of(&e, codes);
    err->detail = e.detail;
    err->fields = e.first;
    err->retry_after_ms = e.retry_after_ms;
    return err;
}
