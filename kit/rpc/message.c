// SPDX-License-Identifier: Apache-2.0
/* NNG's process-wide settings, its messages, and what all sockets have in common. */
#include "kit/rpc/message.h"

#include "kit/base/mem.h"
#include "kit/rpc/client.h"

#include <stdlib.h>

enum {
    TASK_THREADS = 2, /* NNG's least; its callbacks here only post */
    RECV_MESSAGES = 8,
};

/* NNG's own defaults grow with the host's cores and do not see a container's limits. */
void rpc_process_init(void)
{
    nng_init_set_parameter(NNG_INIT_NUM_TASK_THREADS, TASK_THREADS);
    nng_init_set_parameter(NNG_INIT_NUM_EXPIRE_THREADS, 1);
    nng_init_set_parameter(NNG_INIT_NUM_POLLER_THREADS, 1);
    nng_init_set_parameter(NNG_INIT_NUM_RESOLVER_THREADS, 1);
}

struct rpc_inbound *rpc_inbound_create(nng_msg *msg)
{
    struct rpc_inbound *in = MEM_NEW(struct rpc_inbound);

    in->msg = msg;
    in->bytes = (struct str){nng_msg_body(msg), nng_msg_len(msg)};
    in->refs = 1;
    in->weight = 1 + (unsigned)(in->bytes.n / RPC_WEIGHT_BYTES);
    return in;
}

struct rpc_inbound *rpc_inbound_room(size_t n)
{
    struct rpc_inbound *in = mem_realloc(NULL, sizeof *in + n);

    in->msg = NULL;
    in->bytes = (struct str){in->own, n};
    in->refs = 1;
    in->weight = 0; /* it waits in no queue */
    return in;
}

void rpc_inbound_drop(struct rpc_inbound *in)
{
    if (--in->refs > 0)
        return;
    if (in->msg)
        nng_msg_free(in->msg);
    free(in);
}

static void drop_deferred(void *in)
{
    rpc_inbound_drop(in);
}

void rpc_inbound_keep(struct rpc_inbound *in, struct arena *a)
{
    in->refs++;
    arena_defer(a, drop_deferred, in);
}

nng_msg *rpc_message_create(struct str head, struct str frames)
{
    nng_msg *msg;
    char *p;

    if (nng_msg_alloc(&msg, head.n + frames.n) != 0)
        mem_die("rpc: out of memory for a message of %zu bytes", head.n + frames.n);
    p = nng_msg_body(msg);
    memcpy(p, head.p, head.n);
    memcpy(p + head.n, frames.p, frames.n);
    return msg;
}

int rpc_socket_limits(nng_socket s, int send_messages)
{
    int rv = nng_socket_set_size(s, NNG_OPT_RECVMAXSZ, RPC_MESSAGE_MAX);

    if (rv == 0)
        rv = nng_socket_set_int(s, NNG_OPT_RECVBUF, RECV_MESSAGES);
    if (rv == 0)
        rv = nng_socket_set_int(s, NNG_OPT_SENDBUF, send_messages);
    if (rv == 0)
        rv = nng_socket_set_bool(s, NNG_OPT_TCP_KEEPALIVE, true);
    return rv;
}
