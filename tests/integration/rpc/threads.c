// SPDX-License-Identifier: Apache-2.0
/*
 * A caller's loop, a service's loops, NNG's threads and the resolver's, all at work: for
 * the thread sanitizer, which Criterion's runner does not survive. Calls of several
 * kinds, some of them cancelled, while one of two services drains and comes back again
 * and again.
 */
#include "kit/base/mem.h"
#include "kit/obs/metrics.h"
#include "tests/support/rpc/rig.h"

#include <stdio.h>
#include <stdlib.h>

/* The thread sanitizer makes a call fifty times as long. */
enum { STREAMS = 24, ROUNDS = 5, CALLS_A_ROUND = 400 };

#define CHECK(what)                                          \
    do {                                                     \
        if (!(what))                                         \
            mem_die("%s:%d: %s", __FILE__, __LINE__, #what); \
    } while (0)

struct stream {
    struct rig_outcome o;
    struct loop_timer timer;
};

static struct stream streams[STREAMS];
static int answered, goal;
static bool streaming;

static const struct rig_call CALLS[] = {
    {.method = &RIG_ECHO, .text = "a"},
    {.method = &RIG_WORK, .text = "b", .number = 3},
    {.method = &RIG_FAIL},
    {.method = &RIG_SLEEP, .number = 60000, .timeout_ms = 20}, /* is cancelled */
    {.method = &RIG_WHO, .key = "k", .request_id = "r"},
    {.method = &RIG_GROW, .number = 100000},
    {.method = &RIG_STREAM, .number = 20},
    {.method = &RIG_STREAM, .number = 20, .most = 7}, /* is cancelled */
    {.method = &RIG_STREAM, .number = 9, .text = "fail"},
};
enum { KINDS = sizeof CALLS / sizeof *CALLS };

static void check_end(const struct rig_outcome *o)
{
    if (o->code && o->code != &RIG_OUT_OF_STOCK && o->code != &ERR_CODE_DEADLINE)
        mem_die("a call ended with %s: %s", o->code->name, o->text);
}

static void on_timer(struct loop_timer *t)
{
    struct stream *s = CONTAINER_OF(t, struct stream, timer);

    if (s->o.ended) {
        check_end(&s->o);
        answered++;
        s->o.ended = false;
        if (!streaming)
            return;
        rig_begin(&CALLS[random_u32() % KINDS], &s->o);
    }
    loop_timer_set(t, 0);
}

static bool reached(void *unused)
{
    (void)unused;
    return answered >= goal;
}

static void run_for_answers(int n)
{
    goal = answered + n;
    CHECK(rig_until(reached, NULL));
}

static bool both_up(void *unused)
{
    (void)unused;
    return metric_value(metrics_gauge("viaduct_hop_replicas", "", "upstream", "rig",
                                      "state", "up", NULL)) == 2;
}

static bool drained(void *server)
{
    return rig_server_in_flight(server) == 0;
}

static struct rig_server *start_at(const char *url)
{
    return rig_server_start(&(struct rig_conf){.url = url, .loops = 3});
}

static void roll(struct rig_server **s)
{
    static char url[200];

    snprintf(url, sizeof url, "%s", rig_server_url(*s));
    CHECK(rig_until(both_up, NULL));
    run_for_answers(CALLS_A_ROUND);
    rig_server_drain(*s);
    CHECK(rig_until(drained, *s));
    rig_server_stop(*s);
    run_for_answers(CALLS_A_ROUND / 4);
    *s = start_at(url);
}

static void start_streams(void)
{
    streaming = true;
    for (int i = 0; i < STREAMS; i++) {
        loop_timer_init(&streams[i].timer, rig_loop, on_timer);
        streams[i].o.ended = true;
        loop_timer_set(&streams[i].timer, 0);
    }
}

int main(void)
{
    struct rig_server *a, *b;
    char urls[500];

    rig_init();
    a = start_at("tcp://127.0.0.1:0");
    b = start_at(rig_ipc("threads"));
    snprintf(urls, sizeof urls, "tcp://localhost%s,%s", strrchr(rig_server_url(a), ':'),
             rig_server_url(b));
    rig_connect(urls);
    start_streams();
    for (int i = 0; i < ROUNDS; i++)
        roll(i % 2 ? &a : &b);
    streaming = false;
    CHECK(rig_until(rig_all_ended, NULL));
    rig_disconnect();
    rig_server_stop(a);
    rig_server_stop(b);
    printf("%d calls\n", answered);
    return 0;
}
