// SPDX-License-Identifier: Apache-2.0
/*
 * Certificates and session tickets of TLS listeners: TLS 1.2 and 1.3, forward secret AEAD
 * suites only, ALPN http/1.1. Immutable once loaded, counted, shared by the loops of a
 * process; a reload makes another one, and connections keep theirs to their end.
 *
 * Tickets carry the session, so that any gateway resumes what any other began: their keys
 * are derived from a secret and the time, change every HTTP_TLS_ROTATION_S, and are
 * honoured for one more such period. Gateways share the secret by a file.
 */
#ifndef KIT_HTTP_TLS_H
#define KIT_HTTP_TLS_H

#include "kit/base/arena.h"
#include "kit/base/err.h"

struct http_tls;

enum { HTTP_TLS_ROTATION_S = 6 * 3600, HTTP_TLS_CERTIFICATES_MAX = 64 };

struct http_tls_conf {
    /* "CERT.pem:KEY.pem, ..."; without ":KEY.pem" the key is in the same file. A client
     * that names a host gets the first one made for it, others the first. */
    const char *certificates;
    /* Secrets of 64 hex digits, one a line: the first makes tickets, all of them open
     * them. "": a random one, known to this process only. */
    const char *ticket_secrets;
};

/* Reads the files; an error names the file and never what is in it. Any thread. */
MUST_CHECK const struct err *http_tls_load(struct arena *a,
                                           const struct http_tls_conf *conf,
                                           struct http_tls **out);
/* Any thread; NULL is fine for both. */
struct http_tls *http_tls_ref(struct http_tls *t);
void http_tls_unref(struct http_tls *t);

#endif
