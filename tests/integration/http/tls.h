// SPDX-License-Identifier: Apache-2.0
/* The same tests over TLS: what a test sends in plain passes through a thread that speaks
 * TLS to the server. */
#ifndef TESTS_INTEGRATION_HTTP_TLS_H
#define TESTS_INTEGRATION_HTTP_TLS_H

#include "kit/http/tls.h"

/* Certificates made by openssl in a folder of this process. */
void tls_make_certificate(const char *name, const char *host);
const char *tls_file(const char *name);
struct http_tls *tls_server_side(void);

/* What has been connected to the server becomes what the test reads and writes. */
int tls_wrap(int fd);

#endif
