// SPDX-License-Identifier: Apache-2.0
/*
 * Three replicas of the orders service behind a network that delays and loses, while 64
 * clients never pause. One bad replica is not felt, as next to nothing is sent to it;
 * when all are bad, answers come at the deadline, and without a frame sent when that is
 * known. How long that takes is measured by `./dev bench faults`.
 */
#include "tests/faults/faults.h"
#include "tests/support/load/load.h"
#include "tests/support/proxy/proxy.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    CLIENTS = 64,
    REPLICAS = 3,
    SLOW_MS = 60000, /* nothing is let through before the case ends */
    SAMPLE = 2500,
    TIMES_MAX = 100000,
    /* Of two loops, three at a time, for as many times as a slow machine needs to answer
     * a sample. Much less than a tenth of it. */
    PROBES_MOST = STACK_GATEWAY_LOOPS * 3 * 8,
    PROBES_OUT = STACK_GATEWAY_LOOPS * 3 * REPLICAS, /* at a time */
};

/* Answers since the last look. */
struct sample {
    unsigned long n, ok, unavailable, late, odd;
    int64_t times[TIMES_MAX];
    char first_odd[500];
};

static struct {
    struct faults faults;
    struct proxy *proxies[REPLICAS];
    const char *token, *path;
    struct load *load;
    double bytes_per_call; /* on the way there */
    double sent[REPLICAS]; /* calls during the last look, by bytes: lost ones count */
    pthread_mutex_t lock;
    struct sample now, seen;
} t = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- the load ------------------------------------------------------------------- */

static size_t next(void *arg, unsigned i, char *out, size_t room)
{
    (void)arg;
    (void)i;
    return load_write(out, room, "GET", t.path, t.token, NULL, NULL);
}

static void answered(void *arg, unsigned i, const struct load_answer *a)
{
    struct sample *s = &t.now;

    (void)arg;
    (void)i;
    pthread_mutex_lock(&t.lock);
    s->ok += a->status == 200;
    s->unavailable += a->status == 503;
    s->late += a->status == 504;
    if (a->status != 200 && a->status != 503 && a->status != 504 && s->odd++ == 0)
        (void)snprintf(s->first_odd, sizeof s->first_odd, "%d %s", a->status, a->body);
    if (s->n < TIMES_MAX)
        s->times[s->n] = a->took_us;
    s->n++;
    pthread_mutex_unlock(&t.lock);
}

static int compare(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static double sent_to(int replica)
{
    return (double)proxy_taken(t.proxies[replica]) / t.bytes_per_call;
}

/* So many answers from now on: t.seen, its times sorted. */
static void look(unsigned long answers)
{
    double before[REPLICAS];

    for (int i = 0; i < REPLICAS; i++)
        before[i] = sent_to(i);
    pthread_mutex_lock(&t.lock);
    t.now = (struct sample){0};
    pthread_mutex_unlock(&t.lock);
    load_go_on(t.load, answers);
    pthread_mutex_lock(&t.lock);
    t.seen = t.now;
    pthread_mutex_unlock(&t.lock);
    for (int i = 0; i < REPLICAS; i++)
        t.sent[i] = sent_to(i) - before[i];
    if (t.seen.n > TIMES_MAX)
        t.seen.n = TIMES_MAX;
    qsort(t.seen.times, t.seen.n, sizeof *t.seen.times, compare);
}

static double ms_of(double quantile)
{
    return (double)t.seen.times[(size_t)(quantile * (double)(t.seen.n - 1))] / 1000;
}

static void tell(const char *what)
{
    (void)fprintf(
        stderr,
        "%-22s %6lu answers: %lu ok, %lu unavailable, %lu late; p50 %.1f ms, p99 "
        "%.1f, longest %.1f; sent %.0f, %.0f, %.0f\n",
        what, t.seen.n, t.seen.ok, t.seen.unavailable, t.seen.late, ms_of(0.5),
        ms_of(0.99), ms_of(1), t.sent[0], t.sent[1], t.sent[2]);
    cr_assert_eq(t.seen.odd, 0, "%s: %s", what, t.seen.first_odd);
}

/* ---- the network ---------------------------------------------------------------- */

static void delay_all(int ms)
{
    for (int i = 0; i < REPLICAS; i++)
        proxy_delay(t.proxies[i], ms);
}

static void lose_all(bool lose)
{
    for (int i = 0; i < REPLICAS; i++)
        proxy_lose_all(t.proxies[i], lose);
}

static bool is_left_alone(void *arg)
{
    char series[100];

    (void)snprintf(series, sizeof series,
                   "viaduct_breaker_state{target=\"orders@tcp://127.0.0.1:%d",
                   *(int *)arg);
    return stack_metric(t.faults.stack.admin[STACK_GATEWAY], series) > 0;
}

static void open_all(void)
{
    static char upstreams[200];
    static const char *const env[] = {"VIADUCT_WORK_MS=3000", NULL};
    struct stack_conf conf = {.replicas = {[STACK_ORDERS] = REPLICAS},
                              .upstreams = {[STACK_ORDERS] = upstreams},
                              .env = env};
    struct load_conf load = {.connections = CLIENTS, .next = next, .answered = answered};
    struct member m;
    size_t n = 0;

    for (int i = 0; i < REPLICAS; i++) {
        conf.ports[STACK_ORDERS][i] = free_port();
        t.proxies[i] = proxy_start(conf.ports[STACK_ORDERS][i]);
        n += (size_t)snprintf(upstreams + n, sizeof upstreams - n, "%stcp://127.0.0.1:%d",
                              i ? "," : "", proxy_port(t.proxies[i]));
    }
    faults_open_with(&t.faults, conf);
    for (int i = 1; i < REPLICAS; i++)
        stack_start_replica(&t.faults.stack, STACK_ORDERS, i);
    faults_wait_replicas(&t.faults, "orders", REPLICAS);
    m = api_member(&t.faults.api);
    t.token = m.token;
    t.path = api_text(&t.faults.api, "/v1/orders/%s",
                      faults_order(&t.faults.api, m.token, faults_product(&t.faults, 1)));
    load.port = t.faults.stack.gateway_port;
    t.load = load_start(&load);
}

static void close_all(void)
{
    load_stop(t.load);
    faults_close(&t.faults);
    for (int i = 0; i < REPLICAS; i++)
        proxy_stop(t.proxies[i]);
}

/* ---- the cases ------------------------------------------------------------------ */

/* PINGs are few and small beside calls. */
static void find_size(void)
{
    double sum = 0;

    t.bytes_per_call = 1;
    look(SAMPLE);
    for (int i = 0; i < REPLICAS; i++)
        sum += t.sent[i];
    t.bytes_per_call = sum / (double)t.seen.n;
    cr_assert_gt(t.bytes_per_call, 50);
}

static void one_is_slower(void)
{
    proxy_delay(t.proxies[2], 200);
    look(SAMPLE); /* until it is known */
    look(SAMPLE);
    tell("one is 200 ms slower");
    cr_assert_eq(t.seen.ok, t.seen.n);
    cr_assert_lt(t.sent[2], (double)t.seen.n / 10, "its share falls, from a third");
    proxy_delay(t.proxies[2], 0);
}

static void one_is_silent(void)
{
    proxy_lose_all(t.proxies[2], true);
    look(SAMPLE); /* until it is known */
    look(SAMPLE);
    tell("one never answers");
    cr_assert_lt(t.seen.n - t.seen.ok, t.seen.n / 100);
    cr_assert_lt(t.sent[2], PROBES_MOST, "it gets probes and nothing else");
    proxy_lose_all(t.proxies[2], false);
    faults_wait_replicas(&t.faults, "orders", REPLICAS);
}

static unsigned long given(void)
{
    unsigned long sum = 0;

    for (int i = 0; i < REPLICAS; i++)
        sum += proxy_given(t.proxies[i]);
    return sum;
}

/* The answers are there, and their replies are not through: nobody has waited for one. */
static void all_are_slower_than_the_deadline(void)
{
    unsigned long before;
    struct answer a;

    delay_all(SLOW_MS);
    before = given();
    look(3 * CLIENTS);
    tell("all are slower");
    cr_assert_leq(t.seen.ok, CLIENTS, "more than were under way");
    cr_assert_gt(t.seen.late, 0);
    cr_assert_eq(given(), before, "%lu bytes came", given() - before);
    for (int i = 0; i < 20; i++) {
        a = api_call(&t.faults.api, "GET", "/v1/users/me", t.token, NULL);
        cr_assert_eq(a.status, 200, "users are slow too: %s", a.body.p);
    }
    delay_all(0);
    faults_wait_replicas(&t.faults, "orders", REPLICAS);
}

static void all_are_silent(void)
{
    lose_all(true);
    for (int i = 0; i < REPLICAS; i++) {
        int port = proxy_port(t.proxies[i]);

        wait_until(is_left_alone, &port, 30, "the breakers");
    }
    look(SAMPLE);
    tell("nobody answers");
    cr_assert_gt(t.seen.unavailable, t.seen.n / 2);
    cr_assert_leq(t.sent[0] + t.sent[1] + t.sent[2], (double)t.seen.late + 2 * PROBES_OUT,
                  "a 503 took a frame: only probes do, which are late");
    lose_all(false);
    faults_wait_replicas(&t.faults, "orders", REPLICAS);
}

Test(bad_network, is_felt_as_little_as_can_be)
{
    open_all();
    find_size();
    look(SAMPLE);
    tell("normal");
    one_is_slower();
    one_is_silent();
    all_are_slower_than_the_deadline();
    all_are_silent();
    look(SAMPLE);
    tell("normal again");
    cr_assert_eq(t.seen.ok, t.seen.n);
    close_all();
}
