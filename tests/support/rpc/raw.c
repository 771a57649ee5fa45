// SPDX-License-Identifier: Apache-2.0
#include "tests/support/rpc/raw.h"

#include "kit/base/mem.h"
#include "kit/obs/metrics.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <nng/protocol/reqrep0/req.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FRAME_BYTES = 400, END_MS = 60000 };

static void must(bool well, const char *what)
{
    if (!well)
        mem_die("raw peer: %s", what);
}

/* ---- NNG ---- */

nng_socket raw_open(const char *url)
{
    nng_socket s;

    must(nng_req0_open_raw(&s) == 0, "socket");
    must(nng_dial(s, url, NULL, 0) == 0, "dial");
    return s;
}

void raw_send(nng_socket s, const void *bytes, size_t n)
{
    nng_msg *msg;

    must(nng_msg_alloc(&msg, n) == 0, "memory");
    if (n)
        memcpy(nng_msg_body(msg), bytes, n);
    must(nng_msg_header_append_u32(msg, 0x80000001u) == 0, "header");
    must(nng_sendmsg(s, msg, 0) == 0, "send");
}

void raw_send_frame(nng_socket s, uint32_t session, const struct rpc_frame *f)
{
    char bytes[FRAME_BYTES];

    must(RPC_HEAD_LEN + rpc_frame_size(f) <= sizeof bytes, "a large frame");
    rpc_head_write(bytes, (struct rpc_head){session, 0});
    rpc_frame_write(bytes + RPC_HEAD_LEN, f);
    raw_send(s, bytes, RPC_HEAD_LEN + rpc_frame_size(f));
}

uint32_t raw_greet(nng_socket s)
{
    struct rpc_frame f = {.type = RPC_HELLO,
                          .of_hello = {.version = 1, .name = STR("x")}};
    struct rpc_reader reader;
    struct rpc_head head;
    nng_msg *msg;

    raw_send_frame(s, 0, &f);
    must(nng_recvmsg(s, &msg, 0) == 0, "receive");
    must(rpc_reader_init(&reader, (struct str){nng_msg_body(msg), nng_msg_len(msg)},
                         &head),
         "head");
    must(rpc_frame_read(&reader, &f) == RPC_READ_FRAME && f.type == RPC_HELLO, "HELLO");
    must(str_eq(f.of_hello.name, STR("rig")), "name");
    nng_msg_free(msg);
    return f.of_hello.session;
}

int64_t raw_bad_frames(void)
{
    return metric_value(metrics_counter("viaduct_hop_bad_frames_total", "", NULL));
}

bool raw_bad_frames_reach(void *n)
{
    return raw_bad_frames() >= *(int64_t *)n;
}

/* ---- TCP ---- */

int raw_dial(const char *url)
{
    struct sockaddr_in to = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons((uint16_t)strtol(strrchr(url, ':') + 1, NULL, 10));
    must(fd >= 0, "socket");
    must(connect(fd, (struct sockaddr *)&to, sizeof to) == 0, "connect");
    return fd;
}

void raw_reset(int fd)
{
    struct linger hard = {.l_onoff = 1};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close(fd);
}

bool raw_ends(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    bool ended = false;
    char bytes[64];

    while (!ended && poll(&p, 1, END_MS) == 1)
        ended = read(fd, bytes, sizeof bytes) <= 0;
    close(fd);
    return ended;
}
