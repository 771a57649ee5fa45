// SPDX-License-Identifier: Apache-2.0
/* See front.h. */
#include "front.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct program gateway;
int plain_port, tls_port;
static char folder[] = "/tmp/viaduct-front-XXXXXX";
static SSL_CTX *tls;

/* ---- a client ---- */

bool open_client(struct client *c, int port)
{
    return open_client_behind(c, port, NULL, 0);
}

bool open_client_behind(struct client *c, int port, const char *bytes, size_t n)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in here = {.sin_family = AF_INET};
    const struct timeval patience = {20, 0};

    *c = (struct client){.fd = socket(AF_INET, SOCK_STREAM, 0), .from = c->from};
    cr_assert(c->fd >= 0);
    setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (c->from) {
        cr_assert_eq(inet_pton(AF_INET, c->from, &here.sin_addr), 1);
        cr_assert_eq(bind(c->fd, (const struct sockaddr *)&here, sizeof here), 0);
    }
    if (connect(c->fd, (const struct sockaddr *)&to, sizeof to) != 0)
        return false;
    if (n > 0)
        cr_assert_eq(send(c->fd, bytes, n, MSG_NOSIGNAL), (ssize_t)n);
    if (port != tls_port)
        return true;
    c->ssl = SSL_new(tls);
    SSL_set_fd(c->ssl, c->fd);
    return SSL_connect(c->ssl) == 1;
}

void close_client(struct client *c)
{
    SSL_free(c->ssl);
    close(c->fd);
}

void send_text(struct client *c, const char *text)
{
    if (c->ssl)
        (void)SSL_write(c->ssl, text, (int)strlen(text));
    else
        (void)send(c->fd, text, strlen(text), MSG_NOSIGNAL);
}

bool ask(struct client *c, const char *text)
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

bool is_closed(const struct client *c)
{
    char byte;

    return recv(c->fd, &byte, 1, MSG_DONTWAIT) == 0 || errno == ECONNRESET;
}

const char GET[] = "GET /v1/nothing HTTP/1.1\r\nHost: a\r\n\r\n";

/* ---- the process ---- */

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

void front_start(const char *const *settings, bool (*serves)(void *arg))
{
    signal(SIGPIPE, SIG_IGN);
    make_certificate();
    tls = SSL_CTX_new(TLS_client_method());
    plain_port = free_port();
    tls_port = free_port();
    program_init(&gateway, "gateway", "viaduct-gateway", folder);
    program_env(&gateway, "VIADUCT_GATEWAY_LISTEN=127.0.0.1:%d", plain_port);
    program_env(&gateway, "VIADUCT_GATEWAY_TLS_LISTEN=127.0.0.1:%d", tls_port);
    program_env(&gateway, "VIADUCT_TLS_CERTIFICATES=%s/cert.pem:%s/key.pem", folder,
                folder);
    program_env(&gateway, "VIADUCT_DRAIN_IDLE_MS=30000");
    program_env(&gateway, "VIADUCT_DRAIN_MS=60000");
    program_env(&gateway, "VIADUCT_ADMIN_LISTEN=127.0.0.1:%d", free_port());
    program_env(&gateway, "VIADUCT_REDIS=redis://127.0.0.1:%d", free_port());
    program_env(&gateway, "VIADUCT_USERS_UPSTREAM=tcp://127.0.0.1:%d", free_port());
    program_env(&gateway, "VIADUCT_ORDERS_UPSTREAM=tcp://127.0.0.1:%d", free_port());
    program_env(&gateway, "VIADUCT_JOBS_UPSTREAM=tcp://127.0.0.1:%d", free_port());
    for (; *settings; settings++)
        program_env(&gateway, "%s", *settings);
    program_start(&gateway);
    program_wait_until(&gateway, serves, NULL, 30);
}

void front_stop(void)
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

/* ---- descriptors ---- */

rlim_t front_descriptors(void)
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

void front_set_descriptors(rlim_t n, struct rlimit *old)
{
    struct rlimit now;

    cr_assert_eq(prlimit(gateway.pid, RLIMIT_NOFILE, NULL, &now), 0);
    if (old)
        *old = now;
    now.rlim_cur = n;
    cr_assert_eq(prlimit(gateway.pid, RLIMIT_NOFILE, &now, NULL), 0);
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

/* Beside a thread that does nothing but spin, ours: however busy the machine is, one that
 * spins too gets as much. */
void expect_no_spinning(void)
{
    const clock_t enough = CLOCKS_PER_SEC / 5, since = clock();
    long theirs = cpu_ticks(), ours = sysconf(_SC_CLK_TCK) / 5;

    while (clock() - since < enough)
        ;
    theirs = cpu_ticks() - theirs;
    cr_expect_lt(theirs, ours / 2, "it spins: %ld ticks beside our %ld", theirs, ours);
}
