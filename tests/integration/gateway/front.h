// SPDX-License-Identifier: Apache-2.0
/* A gateway process with nothing behind it, and a client that is a bare socket, with TLS
 * on the TLS port. Limits are local: its Redis is away. */
#ifndef TESTS_INTEGRATION_GATEWAY_FRONT_H
#define TESTS_INTEGRATION_GATEWAY_FRONT_H

#include "tests/support/stack/program.h"

#include <openssl/ssl.h>
#include <stddef.h>
#include <sys/resource.h>

extern struct program gateway;
extern int plain_port, tls_port;

/* `settings` "NAME=value" over the defaults, NULL-terminated. Waits until it serves a
 * client for which serves() says so. */
void front_start(const char *const *settings, bool (*serves)(void *arg));
/* Fails the test when it does not end well. */
void front_stop(void);

struct client {
    int fd;
    SSL *ssl;         /* NULL: plain */
    const char *from; /* address of 127.0.0.0/8 it comes from; NULL: any */
    char answer[8192];
};

/* False: not let in. */
bool open_client(struct client *c, int port);
/* The same, and the bytes go before everything else, TLS too. */
bool open_client_behind(struct client *c, int port, const char *bytes, size_t n);
void close_client(struct client *c);
void send_text(struct client *c, const char *text);
/* The head of an answer, or false when the connection ends. */
bool ask(struct client *c, const char *text);
/* Closed, and not left without a word until our patience ends. */
bool is_closed(const struct client *c);

extern const char GET[];

/* ---- descriptors ---- */

/* One more than the highest descriptor that the process has. */
rlim_t front_descriptors(void);
/* How many it may have; what it was is kept in *old. */
void front_set_descriptors(rlim_t n, struct rlimit *old);
/* Fails the test when the process is busy with nothing to do. */
void expect_no_spinning(void);

#endif
