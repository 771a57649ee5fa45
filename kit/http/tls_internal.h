// SPDX-License-Identifier: Apache-2.0
/* What tls.c, tickets.c and conn.c share. */
#ifndef KIT_HTTP_TLS_INTERNAL_H
#define KIT_HTTP_TLS_INTERNAL_H

#include "kit/http/tls.h"

#include <openssl/ssl.h>
#include <stdatomic.h>

enum { HTTP_TICKET_SECRET_BYTES = 32, HTTP_TICKET_SECRETS_MAX = 8 };

struct http_tls {
    atomic_uint refs;
    size_t n, n_secrets;
    SSL_CTX *contexts[HTTP_TLS_CERTIFICATES_MAX]; /* their app data is the http_tls */
    unsigned char secrets[HTTP_TICKET_SECRETS_MAX][HTTP_TICKET_SECRET_BYTES];
};

/* tickets.c */
void http_tickets_enable(SSL_CTX *c);
MUST_CHECK const struct err *http_tickets_load(struct arena *a, struct http_tls *t,
                                               const char *path);

#endif
