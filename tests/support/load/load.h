// SPDX-License-Identifier: Apache-2.0
/*
 * Clients that never pause: so many connections to a port of 127.0.0.1, each with one
 * request after the other, in one thread. Every request is counted and every answer
 * handed over; a connection that breaks under a request is an answer too (status 0), and
 * is made anew.
 */
#ifndef TESTS_SUPPORT_LOAD_LOAD_H
#define TESTS_SUPPORT_LOAD_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LOAD_CONNECTIONS_MAX = 1024, LOAD_REQUEST_MAX = 2048 };

struct load_answer {
    int status;       /* 0: the connection broke, or what came is no HTTP */
    const char *body; /* NUL-terminated, for the time of the call */
    int64_t took_us;
};

/* Both are called in the load's thread. */
struct load_conf {
    int port;
    unsigned connections;
    /* Writes the next request of a connection, head and body; its length, or 0: this
     * connection is through. */
    size_t (*next)(void *arg, unsigned connection, char *out, size_t room);
    void (*answered)(void *arg, unsigned connection, const struct load_answer *a);
    void *arg;
};

struct load;
struct load *load_start(const struct load_conf *conf);
/* Answers so far; any thread. */
unsigned long load_answers(const struct load *l);
/* Waits until there are so many more; aborts after two minutes. */
void load_go_on(const struct load *l, unsigned long answers);
/* No new requests; waits for the answers that are still out. */
void load_stop(struct load *l);

/* A request as text: json and extra (whole header lines) may be NULL. */
size_t load_write(char *out, size_t room, const char *method, const char *path,
                  const char *token, const char *extra, const char *json);

#endif
