// SPDX-License-Identifier: Apache-2.0
/* The reference of the hop: the same frames, batched per turn, on a bufferevent. A
 * message is its length (u32) and what kit/rpc would give to NNG. */
#include "hop.h"

#include "kit/base/clock.h"
#include "kit/base/mem.h"
#include "kit/rpc/frame.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <sys/un.h>
#include <unistd.h>

enum { SLOTS = 4096, OUT_MAX = 16 << 20 };

struct plain {
    struct loop *loop;
    struct bufferevent *bev;
    struct buf out;
    struct loop_task flush;
    flow_step handler;               /* of the service */
    struct plain_call *calls[SLOTS]; /* of the caller */
    uint32_t next;
};

/* ---- messages ---- */

static void flush(struct loop_task *t)
{
    struct plain *p = CONTAINER_OF(t, struct plain, flush);
    struct str left = buf_view(&p->out);

    while (left.n > 0) {
        unsigned count;
        size_t n = rpc_batch_cut(left, &count);
        uint32_t whole = (uint32_t)(n + RPC_HEAD_LEN);
        char head[sizeof whole + RPC_HEAD_LEN];

        memcpy(head, &whole, sizeof whole);
        rpc_head_write(head + sizeof whole, (struct rpc_head){1, 1});
        bufferevent_write(p->bev, head, sizeof head);
        bufferevent_write(p->bev, left.p, n);
        left = (struct str){left.p + n, left.n - n};
    }
    buf_reset(&p->out);
}

static void take_frame(struct plain *p, const struct rpc_frame *f);

static bool take_message(struct plain *p, struct evbuffer *in)
{
    struct rpc_reader r;
    struct rpc_head head;
    struct rpc_frame f;
    enum rpc_read got;
    uint32_t n;

    if (evbuffer_copyout(in, &n, sizeof n) < (ssize_t)sizeof n ||
        evbuffer_get_length(in) < sizeof n + n)
        return false;
    if (!rpc_reader_init(
            &r,
            (struct str){
                (const char *)evbuffer_pullup(in, (ssize_t)(sizeof n + n)) + sizeof n, n},
            &head))
        mem_die("bench-hop: bad message");
    while ((got = rpc_frame_read(&r, &f)) == RPC_READ_FRAME)
        take_frame(p, &f);
    if (got == RPC_READ_BAD)
        mem_die("bench-hop: bad frame");
    evbuffer_drain(in, sizeof n + n);
    return true;
}

static void on_read(struct bufferevent *bev, void *arg)
{
    while (take_message(arg, bufferevent_get_input(bev)))
        ;
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
    (void)bev, (void)arg;
    if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
        exit(0);
}

static struct plain *plain_create(struct loop *l, int fd)
{
    struct plain *p = MEM_NEW(struct plain);

    p->loop = l;
    p->bev = bufferevent_socket_new(loop_event_base(l), fd, 0);
    p->next = 1; /* 0 names no call */
    buf_init(&p->out, OUT_MAX);
    loop_task_init(&p->flush, flush);
    bufferevent_setcb(p->bev, on_read, NULL, on_event, p);
    bufferevent_enable(p->bev, EV_READ | EV_WRITE);
    return p;
}

/* ---- the service ---- */

struct served {
    struct plain *plain;
    uint32_t call;
};

static void answer(struct flow *f, const struct err *err)
{
    const struct served *s = f->owner;
    struct rpc_frame frame = {.type = RPC_REPLY, .call = s->call};
    size_t begun = rpc_frame_begin(&s->plain->out, &frame);

    if (err)
        mem_die("bench-hop: the handler failed");
    wire_to_msgpack(&s->plain->out, HOP_ECHO.out, f->out);
    if (!rpc_frame_end(&s->plain->out, begun))
        mem_die("bench-hop: too long");
    loop_at_turn_end(s->plain->loop, &s->plain->flush);
}

static void serve(struct plain *p, const struct rpc_frame *frame)
{
    struct flow *f = flow_create(p->loop, frame->of_call.left_ms, answer, NULL);
    struct served *s = ARENA_NEW(&f->arena, struct served);
    void *in = arena_alloc(&f->arena, HOP_ECHO.in->size);

    *s = (struct served){p, frame->call};
    f->owner = s;
    f->in = in;
    f->out = arena_alloc(&f->arena, HOP_ECHO.out->size);
    if (wire_from_msgpack(&f->arena, HOP_ECHO.in, arena_str(&f->arena, frame->body), in))
        mem_die("bench-hop: bad body");
    flow_start(f, p->handler);
}

struct plain_listener {
    struct loop *loop;
    flow_step handler;
};

static void on_accept(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *a,
                      int n, void *arg)
{
    const struct plain_listener *pl = arg;

    (void)l, (void)a, (void)n;
    plain_create(pl->loop, fd)->handler = pl->handler;
}

void plain_serve(struct loop *l, const char *path, flow_step handler)
{
    struct plain_listener *pl = MEM_NEW(struct plain_listener);
    struct sockaddr_un at = {.sun_family = AF_UNIX};

    *pl = (struct plain_listener){l, handler};
    (void)unlink(path);
    memcpy(at.sun_path, path, strnlen(path, sizeof at.sun_path - 1));
    if (!evconnlistener_new_bind(loop_event_base(l), on_accept, pl, 0, -1,
                                 (struct sockaddr *)&at, sizeof at))
        mem_die("bench-hop: cannot listen at %s", path);
}

/* ---- the caller ---- */

struct plain_call {
    struct wait wait;
    const struct rpc_method *method;
    void *out;
};

static void take_frame(struct plain *p, const struct rpc_frame *f)
{
    struct plain_call **slot = &p->calls[f->call % SLOTS];
    struct plain_call *call = *slot;
    struct arena *a;

    if (p->handler) {
        serve(p, f);
        return;
    }
    if (!call)
        return;
    *slot = NULL;
    a = &call->wait.flow->arena;
    wait_end(&call->wait,
             wire_from_msgpack(a, call->method->out, arena_str(a, f->body), call->out));
}

struct plain *plain_connect(struct loop *l, const char *path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    struct plain *p = plain_create(l, -1);

    memcpy(at.sun_path, path, strnlen(path, sizeof at.sun_path - 1));
    if (bufferevent_socket_connect(p->bev, (struct sockaddr *)&at, sizeof at) != 0)
        mem_die("bench-hop: cannot connect to %s", path);
    return p;
}

static void forget(struct wait *w)
{
    (void)w;
    mem_die("bench-hop: a call was given up");
}

enum step plain_await(struct flow *f, struct plain *p, const struct rpc_method *m,
                      const void *in, void *out, flow_step next)
{
    struct plain_call *call = ARENA_NEW(&f->arena, struct plain_call);
    struct rpc_frame frame = {.type = RPC_CALL, .method = m->id};
    size_t begun;

    while (p->calls[p->next % SLOTS] || p->next == 0)
        p->next++;
    frame.call = p->next;
    frame.of_call.left_ms = (uint32_t)flow_left_ms(f);
    frame.of_call.request_id = f->log.request_id;
    p->calls[p->next++ % SLOTS] = call;
    call->method = m;
    call->out = out;
    wait_begin(f, &call->wait, forget, true);
    begun = rpc_frame_begin(&p->out, &frame);
    wire_to_msgpack(&p->out, m->in, in);
    if (!rpc_frame_end(&p->out, begun))
        mem_die("bench-hop: too long");
    loop_at_turn_end(p->loop, &p->flush);
    return flow_await(f, next);
}
