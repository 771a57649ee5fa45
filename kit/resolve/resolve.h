// SPDX-License-Identifier: Apache-2.0
/*
 * Host names to addresses without blocking the loop: getaddrinfo runs in a thread that is
 * there for one question and ends with it. For clients whose library would look names up
 * within the loop (kit/pg, kit/cache).
 */
#ifndef KIT_RESOLVE_RESOLVE_H
#define KIT_RESOLVE_RESOLVE_H

#include "kit/loop/loop.h"

enum {
    RESOLVE_HOSTS_MAX = 8,
    RESOLVE_NAME_MAX = 256,    /* with its NUL */
    RESOLVE_ADDRESSES_MAX = 8, /* of one host; more are left out */
    RESOLVE_TEXT_MAX = 64,     /* "fe80::1%eth0", with its NUL */
    RESOLVE_THREADS_MAX = 64   /* in the process */
};

struct resolve_host {
    char name[RESOLVE_NAME_MAX];
    unsigned n; /* 0: there is no such name, or nobody could be asked */
    char address[RESOLVE_ADDRESSES_MAX][RESOLVE_TEXT_MAX];
};

struct resolve_answer {
    unsigned n;
    struct resolve_host host[RESOLVE_HOSTS_MAX]; /* in the order of the question */
};

/* Not for numeric addresses, for paths (of Unix sockets), for nothing. */
bool resolve_needed(const char *name);

struct resolve;

/* fn(arg, answer) is called once, in the loop, never before this returns. NULL when too
 * many questions are open, a name is too long, or no thread can be made: nothing is
 * called. */
struct resolve *resolve_start(struct loop *l, const char *const *names, unsigned n,
                              void (*fn)(void *arg, const struct resolve_answer *answer),
                              void *arg);
/* Takes NULL; fn is not called afterwards. Not for a question whose fn has been called.
 */
void resolve_cancel(struct resolve *r);

#endif
