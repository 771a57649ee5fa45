// SPDX-License-Identifier: Apache-2.0
/* bench-hop service rpc|plain ADDRESS, bench-hop front rpc|plain ADDRESS PORT: see hop.h.
 * The service answers a request with its own text; the front makes JSON of it. */
#include "hop.h"

#include "kit/rpc/client.h"
#include "kit/rpc/server.h"
#include "tuned.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { TIMEOUT_MS = 5000, BODY_MAX = 65536, IN_FLIGHT = 10000 };

WIRE_DEFINE(hop_text, HOP_TEXT)
#define HOP_METHOD(...) RPC_METHOD_DEFINE("hop", __VA_ARGS__)
HOP_METHODS(HOP_METHOD)

static const struct err_code *const CODES[] = {NULL};
static struct rpc_client *rpc;
static struct plain *plain;

/* ---- the service ---- */

static enum step echo(struct flow *f)
{
    const struct hop_text *in = f->in;
    struct hop_text *out = f->out;

    WIRE_SET(out, text, in->text);
    return flow_done(f);
}

static void serve(struct loop *l, bool over_rpc, const char *address)
{
    static const struct rpc_handler handlers[] = {{&HOP_ECHO, echo}, {NULL, NULL}};
    const struct rpc_server_conf conf = {
        .service = "hop",
        .url = address,
        .handlers = handlers,
        .max_in_flight = IN_FLIGHT,
    };
    struct rpc_server *s;
    struct arena a;

    if (!over_rpc) {
        plain_serve(l, address, echo);
        return;
    }
    arena_init(&a);
    if (rpc_server_create(&a, &conf, &s))
        exit(1);
    rpc_server_join(s, l, NULL);
}

/* ---- the front ---- */

struct call {
    struct evhttp_request *http;
    struct hop_text in, out;
};

static enum step called(struct flow *f)
{
    return flow_done(f);
}

static enum step begin(struct flow *f)
{
    struct call *c = f->owner;

    if (plain)
        return plain_await(f, plain, &HOP_ECHO, &c->in, &c->out, called);
    return rpc_await(f, rpc, &HOP_ECHO, &c->in, &c->out, called);
}

static void ended(struct flow *f, const struct err *err)
{
    const struct call *c = f->owner;
    struct buf b;

    if (err) {
        evhttp_send_error(c->http, 503, NULL);
        return;
    }
    buf_init(&b, BODY_MAX);
    wire_to_json(&b, &hop_text_msg, &c->out);
    tuned_answer(c->http, b.p, b.n);
    buf_fini(&b);
}

static void on_request(struct evhttp_request *r, void *arg)
{
    struct flow *f = flow_create(arg, TIMEOUT_MS, ended, NULL);
    struct call *c = ARENA_NEW(&f->arena, struct call);

    c->http = r;
    f->owner = c;
    WIRE_SET(&c->in, text, STR("hello, world: as much as an account's answer takes"));
    flow_start(f, begin);
}

static void call_from(struct loop *l, bool over_rpc, const char *address,
                      const char *port)
{
    const struct rpc_client_conf conf = {"bench", CODES};
    struct arena a;

    arena_init(&a);
    if (over_rpc) {
        rpc = rpc_client_create(l, &conf);
        if (rpc_client_add(rpc, &a, "hop", address))
            exit(1);
    } else {
        plain = plain_connect(l, address);
    }
    arena_fini(&a);
    tuned_listen(loop_event_base(l), port, on_request, l);
}

int main(int argc, char **argv)
{
    bool front = argc == 5 && strcmp(argv[1], "front") == 0;
    bool over_rpc = argc >= 4 && strcmp(argv[2], "rpc") == 0;
    struct loop *l;

    if (argc < 4) {
        (void)fprintf(stderr,
                      "usage: bench-hop service|front rpc|plain ADDRESS [PORT]\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    tuned_memory();
    rpc_process_init();
    l = loop_create();
    if (front)
        call_from(l, over_rpc, argv[3], argv[4]);
    else
        serve(l, over_rpc, argv[3]);
    loop_run(l);
    return 0;
}
