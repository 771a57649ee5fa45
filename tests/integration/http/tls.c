// SPDX-License-Identifier: Apache-2.0
/* See tls.h. */
#include "tls.h"
#include "kit/base/clock.h"
#include "kit/base/mem.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- certificates ---- */

const char *tls_file(const char *name)
{
    static char folder[64] = "/tmp/viaduct-tls-XXXXXX";
    static char path[64][128];
    static unsigned next;
    char *out = path[next++ % 64];

    if (strstr(folder, "XXXXXX") && !mkdtemp(folder))
        mem_die("tls: no folder");
    snprintf(out, sizeof path[0], "%s/%s", folder, name);
    return out;
}

void tls_make_certificate(const char *name, const char *host)
{
    const char *pem = tls_file(name);
    char command[1024];

    snprintf(
        command, sizeof command,
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 9 "
        "-subj /CN=%s -addext subjectAltName=DNS:%s -keyout %s.key -out %s.crt "
        "2>/dev/null && cat %s.key %s.crt >%s",
        host, host, pem, pem, pem, pem, pem);
    cr_assert_eq(system(command), 0);
}

struct http_tls *tls_server_side(void)
{
    struct http_tls_conf conf = {0};
    struct http_tls *t;
    struct arena a;

    tls_make_certificate("first.pem", "first.example");
    arena_init(&a);
    conf.certificates = tls_file("first.pem");
    conf.ticket_secrets = "";
    if (http_tls_load(&a, &conf, &t))
        mem_die("tls: no certificate");
    arena_fini(&a);
    return t;
}

/* ---- the thread between ---- */

enum { PIECE = 16384 };

struct wrap {
    int plain, tcp;
    SSL *ssl;
    char out[PIECE], in[PIECE]; /* to the server; to the test */
    size_t out_n, in_n;
    bool plain_ended, server_ended, dead;
};

static bool try_again(struct wrap *w, int n)
{
    int why = SSL_get_error(w->ssl, n);

    ERR_clear_error();
    return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE;
}

static void to_server(struct wrap *w)
{
    if (w->out_n == 0 && !w->plain_ended) {
        ssize_t n = recv(w->plain, w->out, sizeof w->out, MSG_DONTWAIT);

        w->out_n = n > 0 ? (size_t)n : 0;
        w->plain_ended = n == 0 || (n < 0 && errno != EAGAIN);
    }
    if (w->out_n > 0 && !w->dead) {
        int n = SSL_write(w->ssl, w->out, (int)w->out_n);

        if (n > 0)
            w->out_n = 0;
        else if (!try_again(w, n))
            w->dead = true;
    }
}

static void to_test(struct wrap *w)
{
    if (w->in_n == 0 && !w->server_ended) {
        int n = SSL_read(w->ssl, w->in, sizeof w->in);

        w->in_n = n > 0 ? (size_t)n : 0;
        w->server_ended = n <= 0 && !try_again(w, n);
        if (w->server_ended)
            shutdown(w->plain, SHUT_WR);
    }
    if (w->in_n > 0) {
        ssize_t n = send(w->plain, w->in, w->in_n, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n > 0) {
            memmove(w->in, w->in + n, w->in_n - (size_t)n);
            w->in_n -= (size_t)n;
        } else if (n < 0 && errno != EAGAIN) {
            w->plain_ended = true;
        }
    }
}

static void wait_some(struct wrap *w)
{
    struct pollfd fds[2] = {{.fd = w->plain}, {.fd = w->tcp}};

    if (w->out_n == 0)
        fds[0].events |= POLLIN;
    if (w->in_n > 0)
        fds[0].events |= POLLOUT;
    if (w->in_n == 0 && !w->server_ended)
        fds[1].events |= POLLIN;
    if (w->out_n > 0)
        fds[1].events |= POLLOUT;
    poll(fds, 2, SSL_pending(w->ssl) > 0 && w->in_n == 0 ? 0 : 100);
    if ((fds[0].revents & POLLHUP) && w->out_n > 0) /* the server does not take it */
        w->plain_ended = true;
}

/* Threads that still run when the process ends would look like leaks of OpenSSL, which
 * keeps things for each: they are ended before. */
static atomic_uint running;
static atomic_bool ending;

static void end_threads(void)
{
    int64_t until_us = clock_mono_us() + 5000000;

    atomic_store(&ending, true);
    while (atomic_load(&running) > 0 && clock_mono_us() < until_us)
        usleep(1000);
}

static void *shuttle(void *arg)
{
    struct wrap *w = arg;
    struct linger reset = {.l_onoff = 1};

    w->dead = SSL_connect(w->ssl) != 1;
    ERR_clear_error();
    fcntl(w->tcp, F_SETFL, O_NONBLOCK);
    while (!w->plain_ended && !w->dead && !atomic_load(&ending)) {
        to_server(w);
        to_test(w);
        if (!w->plain_ended && !w->dead)
            wait_some(w);
    }
    if (w->out_n > 0 || w->in_n > 0)
        setsockopt(w->tcp, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    else
        SSL_shutdown(w->ssl);
    SSL_free(w->ssl);
    close(w->tcp);
    close(w->plain);
    free(w);
    OPENSSL_thread_stop();
    atomic_fetch_sub(&running, 1);
    return NULL;
}

int tls_wrap(int fd)
{
    static SSL_CTX *context;
    struct wrap *w = MEM_NEW(struct wrap);
    pthread_attr_t detached;
    pthread_t thread;
    int pair[2];

    if (!context) {
        context = SSL_CTX_new(TLS_client_method());
        (void)atexit(end_threads);
    }
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    w->plain = pair[1];
    w->tcp = fd;
    w->ssl = SSL_new(context);
    SSL_set_fd(w->ssl, fd);
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    atomic_fetch_add(&running, 1);
    pthread_create(&thread, &detached, shuttle, w);
    return pair[0];
}
