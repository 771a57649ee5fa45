// SPDX-License-Identifier: Apache-2.0
/* Connections over TLS: a bufferevent of OpenSSL's under the same machines. */
#include "kit/base/mem.h"
#include "kit/http/internal.h"
#include "kit/http/tls_internal.h"

#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include <pthread.h>

static void told(const SSL *ssl, int where, int result)
{
    struct http_conn *c = SSL_get_app_data(ssl);

    (void)result;
    if (c && (where & SSL_CB_HANDSHAKE_DONE))
        http_conn_secured(c);
    else if (c && (where &
                   SSL_CB_EXIT)) /* half of a handshake costs as much as many requests */
        loop_pace(c->server->loop);
}

/* Freeing one costs as much as a request, and libevent frees all that were closed in a
 * turn one after the other. */
static void freed(void *ssl, void *loop, CRYPTO_EX_DATA *ad, int index, long argl,
                  void *argp)
{
    (void)ssl, (void)ad, (void)index, (void)argl, (void)argp;
    if (loop)
        loop_pace(loop);
}

static int loop_index;

static void make_index(void)
{
    loop_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, freed);
}

struct bufferevent *http_secure_new(struct event_base *base, struct http_conn *c)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    SSL *ssl = SSL_new(c->tls->contexts[0]);
    struct bufferevent *bev;

    pthread_once(&once, make_index);
    if (!ssl || loop_index < 0 || !SSL_set_ex_data(ssl, loop_index, c->server->loop))
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

/* libevent would wait for the socket and then make a record of each piece. What OpenSSL
 * cannot write goes to libevent's buffer in one piece, and it repeats the call with the
 * same bytes, as OpenSSL wants it (SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER: elsewhere). */
size_t http_secure_send(struct http_conn *c, struct str bytes)
{
    SSL *ssl = bufferevent_openssl_get_ssl(c->bev);
    int n;

    if (bytes.n == 0 || bytes.n > HTTP_RECORD_MAX || !SSL_is_init_finished(ssl))
        return 0;
    ERR_clear_error();
    n = SSL_write(ssl, bytes.p, (int)bytes.n);
    ERR_clear_error();
    return n > 0 ? (size_t)n : 0;
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
