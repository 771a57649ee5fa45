// SPDX-License-Identifier: Apache-2.0
/*
 * A server of kit/http on a loop of its own thread, and a client that is a bare socket.
 * Paths: /echo answers "METHOD PATH QUERY BODY", /wait answers 503 once the client is
 * gone, /later and /soon answer in a later turn, /stream sends STREAM_CHUNKS chunks, /few
 * three, /empty none, /forever
 * streams until the client is gone, /large and /lasting answer LARGE_BYTES times 'x',
 * /record RECORD_BYTES.
 */
#ifndef TESTS_INTEGRATION_HTTP_HARNESS_H
#define TESTS_INTEGRATION_HTTP_HARNESS_H

#include "kit/http/http.h"

#include <stdatomic.h>

enum { STREAM_CHUNKS = 50, STREAM_CHUNK_BYTES = 10000 };
enum { LARGE_BYTES = 8 << 20 }; /* more than the sockets hold */
enum { RECORD_BYTES = 15000 };  /* an answer of one record of TLS */

struct harness {
    struct http_server *server;
    struct http_quota *quota; /* what the conf had */
    int port;
    bool tls;             /* clients too; all tests are built once more with this */
    atomic_int requests;  /* the handler was called */
    atomic_int gone;      /* req->gone was called */
    atomic_int busy_us;   /* so long computes either, each time */
    atomic_long streamed; /* bytes that /forever has written */
};

/* Fields left 0 get sensible defaults; listen is any free port of 127.0.0.1. */
void harness_start(struct harness *h, struct http_conf conf);
/* Runs fn(h) in the server's loop and waits for it. */
void harness_in_loop(struct harness *h, void (*fn)(struct harness *h));
/* For what runs in it. */
struct loop *harness_loop(void);
void harness_stop(struct harness *h);

int client_connect(const struct harness *h);
bool client_connect_with(const struct harness *h, int fd);
/* Ignores that the server may have closed already. */
void client_send(int fd, struct str bytes);
void client_send_slowly(int fd, struct str bytes); /* one byte a packet */
/* Until the server closes, or `until` is in the answer, or 30 s have gone.
 * NUL-terminated. */
size_t client_read(int fd, char *out, size_t room, const char *until);
/* Everything up to the close of the server; fails the test when it does not close. */
size_t client_read_all(int fd, char *out, size_t room);
bool client_is_closed(int fd);

/* Waits for a condition, 30 s at least. */
#define EVENTUALLY(condition)                                      \
    do {                                                           \
        for (int left_ = 6000; left_ > 0 && !(condition); left_--) \
            usleep(5000);                                          \
        cr_assert(condition);                                      \
    } while (0)

#endif
