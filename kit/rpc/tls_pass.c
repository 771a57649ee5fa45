// SPDX-License-Identifier: Apache-2.0
/* The one connection that a renewed listener would still greet with the old identity. */
#include "kit/base/log.h"
#include "kit/rpc/tls.h"

#include <errno.h>
#include <netinet/in.h>
#include <nng/nng.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* 0 when it is none that one can connect to. */
static socklen_t socket_address(const nng_sockaddr *at, struct sockaddr_storage *to)
{
    struct sockaddr_in *four = (struct sockaddr_in *)to;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)to;

    if (at->s_family == NNG_AF_INET) {
        *four = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = at->s_in.sa_port};
        four->sin_addr.s_addr = at->s_in.sa_addr;
        return sizeof *four;
    }
    if (at->s_family != NNG_AF_INET6)
        return 0;
    *six = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = at->s_in6.sa_port};
    memcpy(&six->sin6_addr, at->s_in6.sa_addr, sizeof six->sin6_addr);
    return sizeof *six;
}

void rpc_tls_pass_next(nng_listener listener)
{
    nng_sockaddr at;
    struct sockaddr_storage to = {0};
    socklen_t n;
    int fd;

    if (nng_listener_get_addr(listener, NNG_OPT_LOCADDR, &at) != 0)
        return;
    n = socket_address(&at, &to);
    fd = n ? socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0) : -1;
    if (fd < 0)
        return;
    if (connect(fd, (struct sockaddr *)&to, n) != 0 && errno != EINPROGRESS)
        LOG_WARN(NULL, "rpc.tls_next_is_old", KV("why", strerror(errno)));
    (void)close(fd);
}
