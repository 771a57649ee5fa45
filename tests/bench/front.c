// SPDX-License-Identifier: Apache-2.0
/* bench-front PORT: what hello.c says, by a server of kit/http. */
#include "kit/base/mem.h"
#include "kit/http/http.h"

#include <signal.h>
#include <stdio.h>

static void answer(void *arg, struct http_req *r)
{
    (void)arg;
    http_reply(r, 200, "application/json", NULL, 0, STR("{\"hello\":\"world\"}"));
}

int main(int argc, char **argv)
{
    struct loop *l = loop_create();
    struct http_conf conf = {
        .max_connections = 1000,
        .max_head_bytes = 16384,
        .max_body_bytes = 65536,
        .idle_ms = 75000,
        .request_ms = 15000,
    };
    struct http_server *s;
    struct arena a;
    char listen[64];

    if (argc != 2)
        return 2;
    signal(SIGPIPE, SIG_IGN);
    log_init("bench-front", LOG_LEVEL_WARN);
    (void)snprintf(listen, sizeof listen, "127.0.0.1:%s", argv[1]);
    conf.listen = listen;
    arena_init(&a);
    if (http_server_create(&a, l, &conf, answer, NULL, &s))
        mem_die("bench-front: cannot listen on %s", listen);
    loop_run(l);
    return 0;
}
