// SPDX-License-Identifier: Apache-2.0
/*
 * The gateway's listeners, by a real process with nothing behind it: the plain one sends
 * to https, the other speaks TLS, neither minds that there are no descriptors left, and
 * SIGTERM costs no request.
 */
#include "tests/support/stack/program.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static struct program gateway;
static char folder[] = "/tmp/viaduct-front-XXXXXX";
static int plain_port, tls_port;
static SSL_CTX *tls;

/* ---- a client ---- */

struct client {
    int fd;
    SSL *ssl; /* NULL: plain */
    char answer[8192];
};

static bool open_client(struct client *c, int port)
{
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct timeval patience = {20, 0};

    *c = (struct client){.fd = socket(AF_INET, SOCK_STREAM, 0)};
    cr_assert(c->fd >= 0);
    setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(c->fd, (const struct sockaddr *)&to, sizeof to) != 0)
        return false;
    if (port != tls_port)
        return true;
    c->ssl = SSL_new(tls);
    SSL_set_fd(c->ssl, c->fd);
    return SSL_connect(c->ssl) == 1;
}

static void close_client(struct client *c)
{
    SSL_free(c->ssl);
    close(c->fd);
}

static void send_text(struct client *c, const char *text)
{
    if (c->ssl)
        (void)SSL_write(c->ssl, text, (int)strlen(text));
    else
        (void)send(c->fd, text, strlen(text), MSG_NOSIGNAL);
}

/* The head of an answer, or false when the connection ends. */
static bool ask(struct client *c, const char *text)
{
    size_t n = 0;

    send_text(c, text);
    c->answer[0] = 0;
    while (!strstr(c->answer, "\r\n\r\n")) {
        size_t room = sizeof c->answer - 1 - n;
        ssize_t got = c->ssl ? SSL_read(c->ssl, c->answer + n, (int)room)
                             : recv(c->fd, c->answer + n, room, 0);

        if (got <= 0)
            return false;
        n += (size_t)got;
        c->answer[n] = 0;
    }
    return true;
}

/* Closed, and not left without a word until our patience ends. */
static bool is_closed(const struct client *c)
{
    char byte;

    return recv(c->fd, &byte, 1, MSG_DONTWAIT) == 0 || errno == ECONNRESET;
}

static const char GET[] = "GET /v1/nothing HTTP/1.1\r\nHost: a\r\n\r\n";

/* ---- the process ---- */

static bool serves(void *arg)
{
    struct client c;
    bool yes = open_client(&c, tls_port) && ask(&c, GET);

    (void)arg;
    close_client(&c);
    return yes;
}

static void make_certificate(void)
{
    char command[1024];

    cr_assert_not_null(mkdtemp(folder));
    (void)snprintf(command, sizeof command,
                   "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
                   "-days 9 -subj /CN=a -keyout %s/key.pem -out %s/cert.pem 2>/dev/null",
                   folder, folder);
    cr_assert_eq(system(command), 0);
}

static void start(void)
{
    signal(SIGPIPE, SIG_IGN);
    make_certificate();
    tls = SSL_CTX_new(TLS_client_method());
    plain_port = free_port();
    tls_port = free_port();
    program_init(&gateway, "gateway", "viaduct-gateway", folder);
    program_env(&gateway, "VIADUCT_GATEWAY_LISTEN=127.0.0.1:%d", plain_port);
    program_env(&gateway, "VIADUCT_GATEWAY_TLS_LISTEN=127.0.0.1:%d", tls_port);
    program_env(&gateway, "VIADUCT_TLS_REDIRECT_PORT=%d", tls_port);
    program_env(&gateway, "VIADUCT_TLS_CERTIFICATES=%s/cert.pem:%s/key.pem", folder,
                folder);
    program_env(&gateway, "VIADUCT_LOOPS=1"); /* others may take the spare one */
    program_env(&gateway, "VIADUCT_DRAIN_IDLE_MS=30000");
    program_env(&gateway, "VIADUCT_DRAIN_MS=60000");
    program_env(&gateway, "VIADUCT_ADMIN_LISTEN=127.0.0.1:%d", free_port());
    program_env(&gateway, "VIADUCT_REDIS=redis://127.0.0.1:%d", free_port());
    program_env(&gateway, "VIADUCT_USERS_UPSTREAM=tcp://127.0.0.1:%d", free_port());
    program_env(&gateway, "VIADUCT_ORDERS_UPSTREAM=tcp://127.0.0.1:%d", free_port());
    program_env(&gateway, "VIADUCT_JOBS_UPSTREAM=tcp://127.0.0.1:%d", free_port());
    program_start(&gateway);
    program_wait_until(&gateway, serves, NULL, 30);
}

static void stop(void)
{
    char command[64];

    if (gateway.pid > 0) { /* no test has stopped it */
        program_signal(&gateway, SIGTERM);
        cr_expect_eq(program_wait(&gateway, 60), 0);
    }
    SSL_CTX_free(tls);
    (void)snprintf(command, sizeof command, "rm -r %s", folder);
    cr_expect_eq(system(command), 0);
}

TestSuite(front, .init = start, .fini = stop, .timeout = 120);

/* ---- from plain to https ---- */

static void expect_has(const struct client *c, const char *text)
{
    cr_expect_not_null(strstr(c->answer, text), "no %s in\n%s", text, c->answer);
}

static void expect_redirect(const char *request, const char *host, const char *target)
{
    char location[256];
    struct client c;

    (void)snprintf(location, sizeof location, "\r\nLocation: https://%s:%d%s\r\n", host,
                   tls_port, target);
    cr_assert(open_client(&c, plain_port));
    cr_assert(ask(&c, request));
    cr_expect_eq(strncmp(c.answer, "HTTP/1.1 308 ", 13), 0, "%s", c.answer);
    expect_has(&c, location);
    expect_has(&c, "\r\nAPI-Version: 1\r\n");
    expect_has(&c, "\r\nX-Frame-Options: DENY\r\n");
    cr_expect_null(strstr(c.answer, "Strict-Transport-Security"));
    close_client(&c);
}

Test(front, plain_requests_are_sent_to_https)
{
    struct client c;

    expect_redirect(
        "GET /v1/products?limit=1 HTTP/1.1\r\nHost: shop.example:8080\r\n\r\n",
        "shop.example", "/v1/products?limit=1");
    expect_redirect("GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", "[::1]", "/");
    /* no byte of the body is sent */
    expect_redirect("POST /v1/orders HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n",
                    "a", "/v1/orders");
    cr_assert(open_client(&c, plain_port) && ask(&c, "GET / HTTP/1.0\r\n\r\n"));
    cr_expect_eq(strncmp(c.answer, "HTTP/1.0 400 ", 9), 0, "%s", c.answer);
    expect_has(&c, "application/problem+json");
    close_client(&c);
    cr_assert(open_client(&c, tls_port) && ask(&c, GET));
    cr_expect_eq(strncmp(c.answer, "HTTP/1.1 404 ", 13), 0, "%s", c.answer);
    expect_has(&c, "Strict-Transport-Security: max-age=");
    close_client(&c);
}

/* ---- no descriptor left ---- */

/* One more than the highest descriptor that the process has. */
static rlim_t in_use(void)
{
    char path[64];
    DIR *d;
    struct dirent *e;
    rlim_t highest = 0;

    (void)snprintf(path, sizeof path, "/proc/%d/fd", (int)gateway.pid);
    d = opendir(path);
    cr_assert_not_null(d);
    while ((e = readdir(d))) {
        rlim_t fd = strtoul(e->d_name, NULL, 10);

        highest = fd > highest ? fd : highest;
    }
    closedir(d);
    return highest + 1;
}

static void set_limit(rlim_t n, struct rlimit *old)
{
    struct rlimit now;

    cr_assert_eq(prlimit(gateway.pid, RLIMIT_NOFILE, NULL, &now), 0);
    if (old)
        *old = now;
    now.rlim_cur = n;
    cr_assert_eq(prlimit(gateway.pid, RLIMIT_NOFILE, &now, NULL), 0);
}

/* Those that still get a descriptor keep it, until nobody gets one. What the process
 * itself opens and closes meanwhile may let one in now and then. */
static void expect_shedding(int port)
{
    enum { MANY = 100, ENOUGH = 5 };
    static struct client in[MANY];
    int n = 0, closed = 0;

    while (n < MANY && closed < ENOUGH) {
        if (open_client(&in[n], port) && ask(&in[n], GET)) {
            n++;
            continue;
        }
        cr_assert(is_closed(&in[n]));
        close_client(&in[n]);
        closed++;
    }
    cr_expect_eq(closed, ENOUGH, "of %d", n + closed);
    while (n > 0)
        close_client(&in[--n]);
}

static long cpu_ticks(void)
{
    char path[64], stat[1024] = "";
    long user = 0, system = 0;
    FILE *f;

    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)gateway.pid);
    f = fopen(path, "r");
    cr_assert_not_null(f);
    cr_assert(fread(stat, 1, sizeof stat - 1, f) > 0);
    (void)fclose(f);
    cr_assert_eq(sscanf(strrchr(stat, ')'), /* NOLINT(cert-err34-c) */
                        ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %ld %ld", &user,
                        &system),
                 2);
    return user + system;
}

static void without_descriptors(int port)
{
    struct client old, young;
    struct rlimit before;
    long ticks;

    cr_assert(open_client(&old, port) && ask(&old, GET));
    set_limit(in_use(), &before);
    expect_shedding(port);
    ticks = cpu_ticks();
    usleep(500000);
    ticks = cpu_ticks() - ticks;
    cr_expect_lt(ticks, sysconf(_SC_CLK_TCK) / 4, "it spins: %ld ticks", ticks);
    cr_expect(ask(&old, GET), "who was there goes on");
    set_limit(before.rlim_cur, NULL);
    cr_expect(open_client(&young, port) && ask(&young, GET), "and others come in again");
    close_client(&young);
    close_client(&old);
}

Test(front, plain_clients_are_closed_at_once_when_no_descriptor_is_left)
{
    without_descriptors(plain_port);
}

Test(front, tls_clients_are_closed_at_once_when_no_descriptor_is_left)
{
    without_descriptors(tls_port);
}

/* ---- SIGTERM ---- */

enum { ASKERS = 8, ASKED_LONG_AGO = ASKERS / 2 };

/* Those before ASKED_LONG_AGO paused when the gateway was told to go. */
static void *ask_to_the_last(void *arg)
{
    struct client *c = arg;

    while (ask(c, GET)) {
        if (strstr(c->answer, "\r\nConnection: close\r\n"))
            return c;
        usleep(10000);
    }
    return NULL;
}

static bool refuses(void *arg)
{
    struct client c;
    bool no = !open_client(&c, tls_port);

    (void)arg;
    close_client(&c);
    return no;
}

Test(front, sigterm_costs_no_request_of_clients_that_keep_their_connections)
{
    static struct client clients[ASKERS];
    pthread_t askers[ASKERS];
    void *answered;

    for (int i = 0; i < ASKERS; i++)
        cr_assert(open_client(&clients[i], tls_port) && ask(&clients[i], GET));
    for (int i = ASKED_LONG_AGO; i < ASKERS; i++)
        pthread_create(&askers[i], NULL, ask_to_the_last, &clients[i]);
    program_signal(&gateway, SIGTERM);
    program_wait_until(&gateway, refuses, NULL, 30);
    for (int i = 0; i < ASKED_LONG_AGO; i++)
        pthread_create(&askers[i], NULL, ask_to_the_last, &clients[i]);
    for (int i = 0; i < ASKERS; i++) {
        pthread_join(askers[i], &answered);
        cr_expect_not_null(answered, "a request of client %d was lost", i);
        close_client(&clients[i]);
    }
    cr_expect_eq(program_wait(&gateway, 60), 0);
}
