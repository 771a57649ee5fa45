// SPDX-License-Identifier: Apache-2.0
/*
 * A growing byte buffer with a cap fixed at init. Writing past the cap sets `failed` and
 * drops the bytes; check once at the end. Own memory, one thread.
 */
#ifndef KIT_BASE_BUF_H
#define KIT_BASE_BUF_H

#include "kit/base/str.h"

#include <stdarg.h>

struct buf {
    char *p;
    size_t n;    /* bytes used */
    size_t room; /* bytes allocated */
    size_t cap;  /* bytes it may ever use */
    bool failed;
};

void buf_init(struct buf *b, size_t cap_bytes);
void buf_fini(struct buf *b);

/* Keeps the memory, forgets content and failure. */
void buf_reset(struct buf *b);

/* Memory for n more bytes, or up to the cap: what is known to come costs one allocation.
 */
void buf_reserve(struct buf *b, size_t n);

/* n writable bytes at the end, counted as used; NULL when that would pass the cap. */
static inline void *buf_grow(struct buf *b, size_t n);

static inline void buf_put(struct buf *b, const void *bytes, size_t n);
static inline void buf_str(struct buf *b, struct str s);
static inline void buf_byte(struct buf *b, uint8_t byte);
__attribute__((format(printf, 2, 3))) void buf_printf(struct buf *b, const char *fmt,
                                                      ...);

/* Drops the first n bytes. */
void buf_consume(struct buf *b, size_t n);

/* buf_grow() where there may be no room. */
void *buf_grow_slow(struct buf *b, size_t n);

static inline void *buf_grow(struct buf *b, size_t n)
{
    char *p = b->p + b->n;

    if (n >= b->room - b->n || b->failed)
        return buf_grow_slow(b, n);
    b->n += n;
    return p;
}

static inline void buf_put(struct buf *b, const void *bytes, size_t n)
{
    void *p = n ? buf_grow(b, n) : NULL;

    if (p)
        memcpy(p, bytes, n);
}

static inline void buf_str(struct buf *b, struct str s)
{
    buf_put(b, s.p, s.n);
}

static inline void buf_byte(struct buf *b, uint8_t byte)
{
    buf_put(b, &byte, 1);
}

static inline struct str buf_view(const struct buf *b)
{
    return (struct str){b->p ? b->p : "", b->n};
}

#endif
