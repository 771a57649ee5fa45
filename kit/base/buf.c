// SPDX-License-Identifier: Apache-2.0
/* A growing byte buffer with a cap; once it failed, it stays as it was until reset. */
#include "kit/base/buf.h"

#include "kit/base/mem.h"

#include <stdio.h>
#include <stdlib.h>

enum { FIRST_ROOM = 256 };

void buf_init(struct buf *b, size_t cap_bytes)
{
    *b = (struct buf){.cap = cap_bytes};
}

void buf_fini(struct buf *b)
{
    free(b->p);
    buf_init(b, b->cap);
}

void buf_reset(struct buf *b)
{
    b->n = 0;
    b->failed = false;
}

/* Doubles, but never beyond the cap; need is within it. */
static void make_room(struct buf *b, size_t need)
{
    size_t room = b->room ? b->room : FIRST_ROOM;

    while (room < need)
        room = room > b->cap / 2 ? b->cap : room * 2;
    if (room > b->cap)
        room = b->cap;
    b->p = mem_realloc(b->p, room);
    b->room = room;
}

void buf_reserve(struct buf *b, size_t n)
{
    size_t most = b->cap - b->n;

    n = n < most ? n : most;
    if (b->n + n > b->room)
        make_room(b, b->n + n);
}

void *buf_grow_slow(struct buf *b, size_t n)
{
    void *p;

    if (b->failed || n > b->cap - b->n) {
        b->failed = true;
        return NULL;
    }
    if (b->n + n > b->room || !b->p)
        make_room(b, b->n + n);
    p = b->p + b->n;
    b->n += n;
    return p;
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    size_t left = b->room - b->n;
    va_list ap, again;
    int n;

    va_start(ap, fmt);
    va_copy(again, ap);
    /* Into what is there; the terminating NUL needs a byte that is not kept. */
    n = vsnprintf(left ? b->p + b->n : NULL, left, fmt, ap);
    if (n < 0) {
        b->failed = true;
    } else if ((size_t)n < left && !b->failed) {
        b->n += (size_t)n;
    } else if (n > 0 && buf_grow(b, (size_t)n)) {
        char *text = mem_alloc((size_t)n + 1);

        vsnprintf(text, (size_t)n + 1, fmt, again);
        memcpy(b->p + b->n - n, text, (size_t)n);
        free(text);
    }
    va_end(again);
    va_end(ap);
}

void buf_consume(struct buf *b, size_t n)
{
    if (n >= b->n) {
        b->n = 0;
        return;
    }
    memmove(b->p, b->p + n, b->n - n);
    b->n -= n;
}
