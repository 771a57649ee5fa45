// SPDX-License-Identifier: Apache-2.0
/*
 * Blocks come in three sizes and go back to a short list of their thread, so that a
 * request costs no malloc in the steady state. Under AddressSanitizer they go back to the
 * heap, and what an arena has not handed out is poisoned: use after the flow and overflow
 * are seen.
 */
#include "kit/base/arena.h"

#include "kit/base/mem.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#if !MEM_REUSE
#include <sanitizer/asan_interface.h>
enum { RED_ZONE = 16, KEEP_MAX = 0 };
#else
#define ASAN_POISON_MEMORY_REGION(p, n)   ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
enum { RED_ZONE = 0, KEEP_MAX = 64 };
#endif

enum {
    ALIGN = _Alignof(max_align_t),
    CLASSES = 3,
    NO_CLASS = CLASSES, /* a big allocation's own block */
    BIG = 16 * 1024,    /* from here on an allocation has its own block */
    PRINTF_FIRST_TRY = 256,
};

static const size_t class_size[CLASSES] = {4096, 16384, 65536};
/* 256 KiB, 512 KiB and 1 MiB at most stay with a thread. */
static const unsigned class_keep[CLASSES] = {KEEP_MAX, KEEP_MAX / 2, KEEP_MAX / 4};

struct arena_block {
    struct arena_block *next;
    unsigned class;
    _Alignas(max_align_t) char bytes[];
};

struct arena_defer {
    struct arena_defer *next;
    void (*fn)(void *);
    void *ptr;
};

struct spare {
    struct arena_block *blocks[CLASSES];
    unsigned count[CLASSES];
    bool registered;
};

static _Thread_local struct spare spare;
static pthread_key_t spare_key;
static pthread_once_t spare_once = PTHREAD_ONCE_INIT;

static void spare_free(void *arg)
{
    struct spare *s = arg;

    for (unsigned class = 0; class < CLASSES; class ++) {
        while (s->blocks[class]) {
            struct arena_block *b = s->blocks[class];

            s->blocks[class] = b->next;
            free(b);
        }
        s->count[class] = 0;
    }
    s->registered = false;
}

static void spare_make_key(void)
{
    if (pthread_key_create(&spare_key, spare_free) != 0)
        mem_die("arena: no thread key left");
}

/* The thread's end frees what it kept. */
static void spare_register(void)
{
    spare.registered = true;
    pthread_once(&spare_once, spare_make_key);
    if (pthread_setspecific(spare_key, &spare) != 0)
        mem_die("arena: out of memory");
}

static struct arena_block *block_take(unsigned class)
{
    struct arena_block *b = spare.blocks[class];

    if (b) {
        spare.blocks[class] = b->next;
        spare.count[class]--;
        return b;
    }
    b = mem_realloc(NULL, class_size[class]);
    b->class = class;
    return b;
}

static void block_give(struct arena_block *b)
{
    if (b->class == NO_CLASS || spare.count[b->class] >= class_keep[b->class]) {
        free(b);
        return;
    }
    if (!spare.registered)
        spare_register();
    b->next = spare.blocks[b->class];
    spare.blocks[b->class] = b;
    spare.count[b->class]++;
}

void arena_init(struct arena *a)
{
    *a = (struct arena){NULL, NULL, NULL, NULL};
}

void arena_fini(struct arena *a)
{
    while (a->defers) {
        struct arena_defer *d = a->defers;

        a->defers = d->next;
        d->fn(d->ptr);
    }
    while (a->blocks) {
        struct arena_block *b = a->blocks;

        a->blocks = b->next;
        block_give(b);
    }
    arena_init(a);
}

/* Behind the newest block, which goes on being filled. */
static void *alloc_big(struct arena *a, size_t size)
{
    struct arena_block *b = mem_alloc(sizeof *b + size);

    b->class = NO_CLASS;
    if (a->blocks) {
        b->next = a->blocks->next;
        a->blocks->next = b;
    } else {
        a->blocks = b;
    }
    return b->bytes;
}

static void add_block(struct arena *a)
{
    unsigned class = 0;
    struct arena_block *b;

    if (a->blocks && a->blocks->class != NO_CLASS)
        class = a->blocks->class + 1 < CLASSES ? a->blocks->class + 1 : CLASSES - 1;
    b = block_take(class);
    b->next = a->blocks;
    a->blocks = b;
    a->next = b->bytes;
    a->end = (char *)b + class_size[class];
    ASAN_POISON_MEMORY_REGION(a->next, (size_t)(a->end - a->next));
}

void *arena_alloc(struct arena *a, size_t size)
{
    size_t whole;
    char *p;

    if (size >= BIG) {
        if (size > PTRDIFF_MAX - sizeof(struct arena_block))
            mem_die("arena: %zu bytes asked for", size);
        return alloc_big(a, size);
    }
    whole = (size + RED_ZONE + (size == 0) + ALIGN - 1) / ALIGN * ALIGN;
    while ((size_t)(a->end - a->next) < whole)
        add_block(a);
    p = a->next;
    a->next += whole;
    ASAN_UNPOISON_MEMORY_REGION(p, size);
    return memset(p, 0, size);
}

struct str arena_str(struct arena *a, struct str s)
{
    char *copy;

    if (!s.p)
        return s;
    copy = arena_alloc(a, s.n + 1);
    memcpy(copy, s.p, s.n);
    return (struct str){copy, s.n};
}

struct str arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
    char first[PRINTF_FIRST_TRY];
    va_list again;
    char *p;
    int n;

    va_copy(again, ap);
    n = vsnprintf(first, sizeof first, fmt, ap);
    if (n < 0)
        mem_die("arena_printf: bad format");
    p = arena_alloc(a, (size_t)n + 1);
    if ((size_t)n < sizeof first)
        memcpy(p, first, (size_t)n);
    else
        vsnprintf(p, (size_t)n + 1, fmt, again);
    va_end(again);
    return (struct str){p, (size_t)n};
}

struct str arena_printf(struct arena *a, const char *fmt, ...)
{
    struct str s;
    va_list ap;

    va_start(ap, fmt);
    s = arena_vprintf(a, fmt, ap);
    va_end(ap);
    return s;
}

void arena_defer(struct arena *a, void (*fn)(void *), void *ptr)
{
    struct arena_defer *d = ARENA_NEW(a, struct arena_defer);

    *d = (struct arena_defer){a->defers, fn, ptr};
    a->defers = d;
}
