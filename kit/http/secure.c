// SPDX-License-Identifier: Apache-2.0
/* Connections over TLS: a bufferevent of OpenSSL's under the same machines. */
#include "kit/base/mem.h"
#include "kit/http/internal.h"
#include "kit/http/tls_internal.h"

#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>

static void told(const SSL *ssl, int where, int result)
{
    struct http_conn *c = SSL_get_app_data(ssl);

    (void)result;
    if (c && (where & SSL_CB_HANDSHAKE_DONE))
        http_conn_secured(c);
}

struct bufferevent *http_secure_new(struct event_base *base, struct http_conn *c)
{
    SSL *ssl = SSL_new(c->tls->contexts[0]);
    struct bufferevent *bev;

    if (!ssl)
        mem_die("http: no memory for a TLS connection");
    SSL_set_app_data(ssl, c);
    SSL_set_info_callback(ssl, told);
    bev = bufferevent_openssl_socket_new(base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING,
                                         BEV_OPT_CLOSE_ON_FREE);
    if (!bev)
        mem_die("http: no memory for a TLS connection");
    bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
    return bev;
}

/* What OpenSSL thinks of it must not be there when libevent asks next. */
void http_secure_end(struct http_conn *c)
{
    SSL *ssl = c->tls ? bufferevent_openssl_get_ssl(c->bev) : NULL;

    if (ssl && SSL_is_init_finished(ssl) && !c->torn)
        SSL_shutdown(ssl);
    ERR_clear_error();
}

void http_secure_forget(struct http_conn *c)
{
    if (!c->tls)
        return;
    http_secure_end(c);
    SSL_set_app_data(bufferevent_openssl_get_ssl(c->bev), NULL);
    http_tls_unref(c->tls);
    c->tls = NULL;
}
