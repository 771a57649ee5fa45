// SPDX-License-Identifier: Apache-2.0
/* See port.h. */
#include "tests/support/port/port.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

/* Bound for as long as the test lives, so that neither another test nor an outgoing
 * connection gets the port; not listening and with SO_REUSEADDR, so that the program may.
 */
static bool reserve(uint16_t port)
{
    const int on = 1;
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons(port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0)
        return true;
    close(fd);
    return false;
}

int free_port(void)
{
    enum { FIRST = 10000, PORTS = 10000 };
    uint16_t r;

    for (int i = 0; i < 1000; i++) {
        if (getrandom(&r, sizeof r, 0) != sizeof r)
            break;
        r = (uint16_t)(FIRST + r % PORTS);
        if (reserve(r))
            return r;
    }
    (void)fprintf(stderr, "no free port\n");
    abort();
}
