// SPDX-License-Identifier: Apache-2.0
/* The codec of the hop's frames: one row per type says what follows the common head. */
#include "kit/rpc/frame.h"

#include <endian.h>

enum { CALL_LEN = 68, HELLO_LEN = 8, CREDIT_LEN = 4, PING_LEN = 8 };

/* ---- integers ------------------------------------------------------------------------
 */

static char *put_u8(char *p, size_t v)
{
    *p = (char)v;
    return p + 1;
}

static char *put_u16(char *p, uint16_t v)
{
    v = htole16(v);
    memcpy(p, &v, sizeof v);
    return p + sizeof v;
}

static char *put_u32(char *p, uint32_t v)
{
    v = htole32(v);
    memcpy(p, &v, sizeof v);
    return p + sizeof v;
}

static char *put_bytes(char *p, const void *bytes, size_t n)
{
    if (n)
        memcpy(p, bytes, n);
    return p + n;
}

static uint16_t get_u16(const char *p)
{
    uint16_t v;

    memcpy(&v, p, sizeof v);
    return le16toh(v);
}

static uint32_t get_u32(const char *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof v);
    return le32toh(v);
}

/* ---- what follows the head, by type --------------------------------------------------
 */

static size_t call_size(const struct rpc_frame *f)
{
    return CALL_LEN + f->of_call.request_id.n + f->of_call.key.n;
}

static char *call_write(char *p, const struct rpc_frame *f)
{
    const struct rpc_frame_call *c = &f->of_call;

    p = put_u32(p, c->left_ms);
    p = put_bytes(p, c->trace.trace_id, sizeof c->trace.trace_id);
    p = put_bytes(p, c->trace.span_id, sizeof c->trace.span_id);
    p = put_bytes(p, c->caller.user.b, sizeof c->caller.user.b);
    p = put_bytes(p, c->caller.session.b, sizeof c->caller.session.b);
    p = put_u32(p, c->caller.roles);
    p = put_u8(p, c->request_id.n);
    p = put_u8(p, c->key.n);
    p = put_u16(p, 0);
    p = put_bytes(p, c->request_id.p, c->request_id.n);
    return put_bytes(p, c->key.p, c->key.n);
}

/* An empty string is an absent one. */
static struct str text_at(const char *p, size_t n)
{
    return n ? (struct str){p, n} : (struct str){0};
}

static bool call_read(const char *p, size_t n, struct rpc_frame *f)
{
    struct rpc_frame_call *c = &f->of_call;
    size_t id_len, key_len;

    if (n < CALL_LEN)
        return false;
    id_len = (uint8_t)p[64];
    key_len = (uint8_t)p[65];
    if (id_len > RPC_REQUEST_ID_MAX || n < CALL_LEN + id_len + key_len)
        return false;
    c->left_ms = get_u32(p);
    memcpy(c->trace.trace_id, p + 4, sizeof c->trace.trace_id);
    memcpy(c->trace.span_id, p + 20, sizeof c->trace.span_id);
    c->trace.sampled = f->flags & RPC_FLAG_SAMPLED;
    memcpy(c->caller.user.b, p + 28, sizeof c->caller.user.b);
    memcpy(c->caller.session.b, p + 44, sizeof c->caller.session.b);
    c->caller.roles = get_u32(p + 60);
    c->request_id = text_at(p + CALL_LEN, id_len);
    c->key = text_at(p + CALL_LEN + id_len, key_len);
    return c->left_ms > 0 && str_is_utf8(c->request_id) && str_is_utf8(c->key);
}

static size_t hello_size(const struct rpc_frame *f)
{
    return HELLO_LEN + f->of_hello.name.n + f->of_hello.zone.n;
}

static char *hello_write(char *p, const struct rpc_frame *f)
{
    const struct rpc_frame_hello *h = &f->of_hello;

    p = put_u16(p, h->version);
    p = put_u16(p, (uint16_t)h->zone.n);
    p = put_u32(p, h->session);
    p = put_bytes(p, h->name.p, h->name.n);
    return put_bytes(p, h->zone.p, h->zone.n);
}

static bool hello_read(const char *p, size_t n, struct rpc_frame *f)
{
    size_t zone_n;

    if (n <= HELLO_LEN)
        return false;
    zone_n = get_u16(p + 2);
    n -= HELLO_LEN;
    if (n <= zone_n || n - zone_n > RPC_NAME_MAX || zone_n > RPC_NAME_MAX)
        return false;
    f->of_hello.version = get_u16(p);
    f->of_hello.session = get_u32(p + 4);
    f->of_hello.name = text_at(p + HELLO_LEN, n - zone_n);
    f->of_hello.zone = text_at(p + HELLO_LEN + n - zone_n, zone_n);
    return str_is_utf8(f->of_hello.name) && str_is_utf8(f->of_hello.zone);
}

static size_t credit_size(const struct rpc_frame *f)
{
    (void)f;
    return CREDIT_LEN;
}

static char *credit_write(char *p, const struct rpc_frame *f)
{
    return put_u32(p, f->credit);
}

static bool credit_read(const char *p, size_t n, struct rpc_frame *f)
{
    if (n != CREDIT_LEN)
        return false;
    f->credit = get_u32(p);
    return f->credit > 0;
}

static size_t ping_size(const struct rpc_frame *f)
{
    (void)f;
    return PING_LEN;
}

static char *ping_write(char *p, const struct rpc_frame *f)
{
    uint64_t v = htole64(f->ping);

    return put_bytes(p, &v, sizeof v);
}

static bool ping_read(const char *p, size_t n, struct rpc_frame *f)
{
    uint64_t v;

    if (n != PING_LEN)
        return false;
    memcpy(&v, p, sizeof v);
    f->ping = le64toh(v);
    return true;
}

struct shape {
    size_t (*size)(const struct rpc_frame *f); /* NULL: nothing between head and body */
    char *(*write)(char *p, const struct rpc_frame *f);
    bool (*read)(const char *p, size_t n, struct rpc_frame *f);
    bool has_call, has_body;
};

static const struct shape SHAPES[RPC_FRAME_TYPES] = {
    [RPC_CALL] = {call_size, call_write, call_read, true, true},
    [RPC_REPLY] = {NULL, NULL, NULL, true, true},
    [RPC_CHUNK] = {NULL, NULL, NULL, true, true},
    [RPC_END] = {NULL, NULL, NULL, true, true},
    [RPC_CREDIT] = {credit_size, credit_write, credit_read, true, false},
    [RPC_CANCEL] = {NULL, NULL, NULL, true, false},
    [RPC_HELLO] = {hello_size, hello_write, hello_read, false, false},
    [RPC_PING] = {ping_size, ping_write, ping_read, false, false},
    [RPC_PONG] = {ping_size, ping_write, ping_read, false, false},
    [RPC_GOAWAY] = {NULL, NULL, NULL, false, false},
};

static size_t shape_size(const struct shape *s, const struct rpc_frame *f)
{
    return s->size ? s->size(f) : 0;
}

/* ---- writing ---------------------------------------------------------------- */

void rpc_head_write(char *out, struct rpc_head head)
{
    put_u32(put_u32(out, head.session), head.received);
}

static size_t size_without_body(const struct rpc_frame *f)
{
    return RPC_FRAME_HEAD_LEN + shape_size(&SHAPES[f->type], f);
}

size_t rpc_frame_size(const struct rpc_frame *f)
{
    return size_without_body(f) + f->body.n;
}

static char *write_without_body(char *p, const struct rpc_frame *f, size_t length)
{
    const struct shape *s = &SHAPES[f->type];

    p = put_u32(p, (uint32_t)length);
    p = put_u8(p, f->type);
    p = put_u8(p, f->flags);
    p = put_u16(p, f->method);
    p = put_u32(p, f->call);
    return s->write ? s->write(p, f) : p;
}

char *rpc_frame_write(char *out, const struct rpc_frame *f)
{
    out = write_without_body(out, f, rpc_frame_size(f));
    return put_bytes(out, f->body.p, f->body.n);
}

void rpc_frame_put(struct buf *b, const struct rpc_frame *f)
{
    char *p = buf_grow(b, rpc_frame_size(f));

    if (p)
        rpc_frame_write(p, f);
}

size_t rpc_frame_begin(struct buf *b, const struct rpc_frame *f)
{
    size_t begun = b->n;
    size_t n = size_without_body(f);
    char *p = buf_grow(b, n);

    if (p)
        write_without_body(p, f, n);
    return begun;
}

bool rpc_frame_end(struct buf *b, size_t begun)
{
    size_t length = b->n - begun;

    if (b->failed || length > RPC_FRAME_MAX) {
        b->n = begun;
        b->failed = false;
        return false;
    }
    put_u32(b->p + begun, (uint32_t)length);
    return true;
}

size_t rpc_batch_cut(struct str frames, unsigned *count)
{
    size_t n = 0;

    *count = 0;
    while (n < frames.n && *count < RPC_BATCH_FRAMES) {
        size_t length = get_u32(frames.p + n);

        if (n > 0 && n + length > RPC_BATCH_BYTES)
            break;
        n += length;
        ++*count;
    }
    return n;
}

/* ---- reading ---------------------------------------------------------------- */

bool rpc_reader_init(struct rpc_reader *r, struct str message, struct rpc_head *head)
{
    if (message.n < RPC_HEAD_LEN || message.n > RPC_MESSAGE_MAX)
        return false;
    *head = (struct rpc_head){get_u32(message.p), get_u32(message.p + 4)};
    *r = (struct rpc_reader){message.p + RPC_HEAD_LEN, message.p + message.n, 0};
    return true;
}

/* The head, checked against the bytes that are left and against the type's row. */
static bool read_head(const struct rpc_reader *r, struct rpc_frame *f, size_t *length)
{
    size_t left = (size_t)(r->end - r->p);

    if (left < RPC_FRAME_HEAD_LEN)
        return false;
    *length = get_u32(r->p);
    if (*length < RPC_FRAME_HEAD_LEN || *length > RPC_FRAME_MAX || *length > left)
        return false;
    f->type = (uint8_t)r->p[4];
    f->flags = (uint8_t)r->p[5];
    f->method = get_u16(r->p + 6);
    f->call = get_u32(r->p + 8);
    return f->type > 0 && f->type < RPC_FRAME_TYPES &&
           SHAPES[f->type].has_call == (f->call != 0);
}

static bool read_rest(const char *p, size_t n, struct rpc_frame *f)
{
    const struct shape *s = &SHAPES[f->type];
    size_t used;

    if (s->read && !s->read(p, n, f))
        return false;
    used = shape_size(s, f);
    f->body = (struct str){p + used, n - used};
    return s->has_body || f->body.n == 0;
}

enum rpc_read rpc_frame_read(struct rpc_reader *r, struct rpc_frame *f)
{
    size_t length;

    if (r->p == r->end)
        return RPC_READ_DONE;
    *f = (struct rpc_frame){0};
    if (r->frames++ == RPC_MESSAGE_FRAMES_MAX || !read_head(r, f, &length) ||
        !read_rest(r->p + RPC_FRAME_HEAD_LEN, length - RPC_FRAME_HEAD_LEN, f))
        return RPC_READ_BAD;
    r->p += length;
    return RPC_READ_FRAME;
}
