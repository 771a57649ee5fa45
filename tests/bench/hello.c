// SPDX-License-Identifier: Apache-2.0
/* bench-hello PORT: the reference, a tuned evhttp that says {"hello":"world"}. */
#include "tuned.h"

#include <signal.h>

static void answer(struct evhttp_request *r, void *arg)
{
    static const char body[] = "{\"hello\":\"world\"}";

    (void)arg;
    tuned_answer(r, body, sizeof body - 1);
}

int main(int argc, char **argv)
{
    struct event_config *cfg;
    struct event_base *base;

    if (argc != 2)
        return 2;
    signal(SIGPIPE, SIG_IGN);
    tuned_memory();
    cfg = event_config_new();
    event_config_set_flag(cfg,
                          EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
    base = event_base_new_with_config(cfg);
    event_config_free(cfg);
    tuned_listen(base, argv[1], answer, NULL);
    return event_base_dispatch(base) < 0;
}
