// SPDX-License-Identifier: Apache-2.0
/*
 * A region of memory that dies as a whole: one per request (flow). Allocation moves a
 * pointer; arena_defer() lets foreign handles (PGresult, nng_msg) die with it, newest
 * first. One thread only. Allocation never fails (kit/base/mem.h): what a peer can make
 * us keep is bounded where its bytes come in.
 */
#ifndef KIT_BASE_ARENA_H
#define KIT_BASE_ARENA_H

#include "kit/base/str.h"

#include <stdarg.h>
#include <stddef.h>

struct arena_block;
struct arena_defer;

struct arena {
    struct arena_block *blocks; /* newest first */
    char *next, *end;
    struct arena_defer *defers; /* newest first */
};

/* Takes no memory until the first allocation. */
void arena_init(struct arena *a);

/* Runs the deferred destructors, frees every block; the arena is as after init. */
void arena_fini(struct arena *a);

/* Zeroed, aligned for any object. */
__attribute__((malloc, returns_nonnull)) void *arena_alloc(struct arena *a, size_t size);

#define ARENA_NEW(a, type) ((type *)arena_alloc((a), sizeof(type)))
/* The caller has bounded n. */
#define ARENA_ARRAY(a, type, n) ((type *)arena_alloc((a), sizeof(type) * (n)))

/* Copies; the copy is also NUL-terminated. An absent string stays absent. */
struct str arena_str(struct arena *a, struct str s);
__attribute__((format(printf, 2, 3))) struct str arena_printf(struct arena *a,
                                                              const char *fmt, ...);
__attribute__((format(printf, 2, 0))) struct str arena_vprintf(struct arena *a,
                                                               const char *fmt,
                                                               va_list ap);

/* fn(ptr) runs in arena_fini. */
void arena_defer(struct arena *a, void (*fn)(void *), void *ptr);

#endif
