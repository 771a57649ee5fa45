// SPDX-License-Identifier: Apache-2.0
/* --health: a client of the admin port, for container health checks. Blocking, with no
 * library: it must work whatever state the process is in. */
#include "kit/svc/internal.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { TIMEOUT_S = 3 };

bool svc_split_address(const char *listen, char *host, size_t host_size, int *port)
{
    const char *colon = strrchr(listen, ':');
    struct str h = {listen, colon ? (size_t)(colon - listen) : 0};
    int64_t number;

    if (!colon || !str_to_i64(str_of(colon + 1), 0, 65535, &number))
        return false;
    if (h.n >= 2 && h.p[0] == '[' && h.p[h.n - 1] == ']')
        h = (struct str){h.p + 1, h.n - 2};
    if (h.n == 0 || h.n >= host_size)
        return false;
    memcpy(host, h.p, h.n);
    host[h.n] = '\0';
    *port = (int)number;
    return true;
}

/* One that listens on all addresses is asked on the local one. */
static const char *reachable(const char *host)
{
    if (strcmp(host, "0.0.0.0") == 0)
        return "127.0.0.1";
    return strcmp(host, "::") == 0 ? "::1" : host;
}

static int connect_to(const char *host, int port)
{
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST,
                                   .ai_socktype = SOCK_STREAM};
    const struct timeval timeout = {.tv_sec = TIMEOUT_S};
    struct addrinfo *found;
    char service[8];
    int fd;

    snprintf(service, sizeof service, "%d", port);
    if (getaddrinfo(host, service, &hints, &found) != 0)
        return -1;
    fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
        if (connect(fd, found->ai_addr, found->ai_addrlen) != 0) {
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(found);
    return fd;
}

static size_t read_some(int fd, char *out, size_t size)
{
    size_t n = 0;

    while (n < size) {
        ssize_t got = recv(fd, out + n, size - n, 0);

        if (got <= 0)
            break;
        n += (size_t)got;
    }
    return n;
}

/* The status, 0 when there was no answer. */
static int ask(int fd)
{
    static const char ASK[] =
        "GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    char answer[1024];
    int status = 0;

    if (send(fd, ASK, sizeof ASK - 1, MSG_NOSIGNAL) != (ssize_t)sizeof ASK - 1)
        return 0;
    answer[read_some(fd, answer, sizeof answer - 1)] = '\0';
    return sscanf(answer, "HTTP/1.%*1d %3d", &status) == 1 ? status : 0;
}

int svc_health(const char *admin_listen)
{
    char host[256];
    int port, fd, status;

    if (!svc_split_address(admin_listen, host, sizeof host, &port)) {
        fprintf(stderr, "'%s' is no address with a port\n", admin_listen);
        return 1;
    }
    fd = connect_to(reachable(host), port);
    status = fd >= 0 ? ask(fd) : 0;
    if (fd >= 0)
        close(fd);
    printf("%s\n", status == 200 ? "ready" : status ? "not ready" : "no answer");
    return status == 200 ? 0 : 1;
}
