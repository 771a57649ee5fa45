// SPDX-License-Identifier: Apache-2.0
/* Writing a stream: a handler's flow waits until its caller has room. */
#include "kit/base/mem.h"
#include "kit/rpc/serve.h"
#include "kit/rpc/stream.h"

/* Counted per connection: what may wait for one caller is bounded. */
static bool begin(struct rpc_sending *s)
{
    if (s->counted)
        return true;
    if (s->outbox->streams == RPC_STREAMS_MAX)
        return false;
    s->outbox->streams++;
    s->counted = true;
    return true;
}

void rpc_sending_end(struct rpc_sending *s)
{
    s->outbox->streams -= s->counted;
    s->counted = false;
}

static void forget(struct wait *w)
{
    CONTAINER_OF(w, struct rpc_sending, wait)->waiting = false;
}

enum step rpc_stream_ready(struct flow *f, flow_step next)
{
    struct rpc_sending *s = rpc_serve_sending(f);

    if (!begin(s))
        return flow_fail(f, ERR_STATIC(SHED));
    if (s->credit == 0) {
        wait_begin(f, &s->wait, forget, true);
        s->waiting = true;
    }
    return flow_await(f, next);
}

void rpc_stream_write(struct flow *f, struct str bytes)
{
    struct rpc_sending *s = rpc_serve_sending(f);
    struct rpc_outbox *o = s->outbox;

    if (s->credit == 0 || bytes.n == 0 || bytes.n > RPC_CHUNK_MAX)
        mem_die("rpc: a chunk of %zu bytes, with room for %u", bytes.n, s->credit);
    s->credit--;
    s->chunks++;
    rpc_frame_put(&o->frames,
                  &(struct rpc_frame){.type = RPC_CHUNK, .call = s->call, .body = bytes});
    if (o->frames.failed)
        rpc_peer_close(o->peer);
    o->frames.failed = false;
    rpc_outbox_touch(o);
}

/* False: nobody means that much. */
bool rpc_sending_credit(struct rpc_sending *s, uint32_t more)
{
    if (more > RPC_CREDIT_MAX - s->credit)
        return false;
    s->credit += more;
    if (s->waiting) {
        s->waiting = false;
        wait_end(&s->wait, NULL);
    }
    return true;
}
