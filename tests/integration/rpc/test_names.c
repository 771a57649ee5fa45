// SPDX-License-Identifier: Apache-2.0
/*
 * Replicas behind a name whose addresses change, as those of a headless service do. The
 * name service of this program is the function below: getaddrinfo in the C library has no
 * other way to be told what to say.
 */
#include "kit/base/mem.h"
#include "kit/obs/metrics.h"
#include "tests/support/port/port.h"
#include "tests/support/rpc/rig.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <dlfcn.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>

/* Which of 127.0.0.1 to 127.0.0.3 the name has, by bit; 0: the name service fails. */
static atomic_uint has;

enum { OURS = 4242 }; /* ai_protocol of our answers */

struct answer {
    struct addrinfo info;
    struct sockaddr_in address;
};

static struct addrinfo *answer(unsigned i, struct addrinfo *next)
{
    struct answer *a = MEM_NEW(struct answer);

    a->address.sin_family = AF_INET;
    a->address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + i - 1);
    a->info.ai_protocol = OURS;
    a->info.ai_family = AF_INET;
    a->info.ai_addr = (struct sockaddr *)&a->address;
    a->info.ai_addrlen = sizeof a->address;
    a->info.ai_next = next;
    return &a->info;
}

static void *of_the_library(const char *function)
{
    return dlsym(RTLD_NEXT, function);
}

int getaddrinfo(const char *restrict node, const char *restrict service,
                const struct addrinfo *restrict hints, struct addrinfo **restrict res)
{
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    unsigned which = atomic_load(&has);

    *(void **)&real = of_the_library("getaddrinfo");
    if (!node || strcmp(node, "rig.test") != 0)
        return real(node, service, hints, res);
    *res = NULL;
    for (unsigned i = 3; i >= 1; i--)
        if (which & 1u << i)
            *res = answer(i, *res);
    return *res ? 0 : EAI_AGAIN;
}

void freeaddrinfo(struct addrinfo *res)
{
    void (*real)(struct addrinfo *);

    *(void **)&real = of_the_library("freeaddrinfo");
    if (res && res->ai_protocol != OURS) {
        real(res);
        return;
    }
    while (res) {
        struct addrinfo *next = res->ai_next;

        free(res);
        res = next;
    }
}

static int64_t replicas(const char *state)
{
    return metric_value(metrics_gauge("viaduct_hop_replicas", "", "upstream", "rig",
                                      "state", state, NULL));
}

struct want {
    int64_t up, draining, gone;
};

static bool replicas_are(void *arg)
{
    const struct want *w = arg;

    return replicas("up") == w->up && replicas("draining") == w->draining &&
           replicas("gone") == w->gone;
}

static void expect(int64_t up, int64_t draining, int64_t gone)
{
    struct want w = {up, draining, gone};

    cr_assert(rig_until(replicas_are, &w), "up %d draining %d gone %d",
              (int)replicas("up"), (int)replicas("draining"), (int)replicas("gone"));
}

static struct rig_server *servers[4];

/* One service on the same port of three addresses. */
static void start(void)
{
    static char url[100];
    int port = free_port();

    rig_init();
    for (int i = 1; i <= 3; i++) {
        snprintf(url, sizeof url, "tcp://127.0.0.%d:%d", i, port);
        servers[i] = rig_server_start(&(struct rig_conf){.url = url});
    }
    atomic_store(&has, 1u << 1);
    snprintf(url, sizeof url, "tcp://rig.test:%d", port);
    rig_connect(url);
}

static void stop(void)
{
    rig_disconnect();
    for (int i = 1; i <= 3; i++)
        rig_server_stop(servers[i]);
}

TestSuite(rpc_names, .init = start, .fini = stop);

Test(rpc_names, replicas_follow_the_addresses)
{
    struct rig_outcome during, o;

    expect(1, 0, 0);
    atomic_store(&has, 1u << 1 | 1u << 2 | 1u << 3);
    expect(3, 0, 0);
    atomic_store(&has, 1u << 2 | 1u << 3);
    expect(2, 0, 1);
    atomic_store(&has,
                 1u << 1); /* one is back, and two go while they have nothing to do */
    expect(1, 0, 2);
    rig_do(&(struct rig_call){.method = &RIG_ECHO, .text = "still"}, &o);
    cr_assert_str_eq(o.text, "still");
    rig_begin(&(struct rig_call){.method = &RIG_WORK, .text = "slow", .number = 10000},
              &during);
    atomic_store(&has, 1u << 2);
    expect(1, 1, 1); /* the vanished one still owes an answer */
    cr_assert_not(during.ended);
    cr_assert(rig_until(rig_all_ended, NULL));
    cr_assert_str_eq(during.text, "slow");
    expect(1, 0, 2);
}

Test(rpc_names, the_last_good_answer_stands)
{
    struct rig_outcome o;

    expect(1, 0, 0);
    atomic_store(&has, 0);
    rig_begin(&(struct rig_call){.method = &RIG_SLEEP, .text = "ok", .number = 7000}, &o);
    cr_assert(rig_until(rig_all_ended, NULL)); /* it is asked for again in the meantime */
    cr_assert_str_eq(o.text, "ok");
    expect(1, 0, 0);
}

Test(rpc_names, an_address_that_is_back_before_it_drained_is_taken_again)
{
    struct rig_outcome slow;

    expect(1, 0, 0);
    rig_begin(&(struct rig_call){.method = &RIG_WORK, .text = "slow", .number = 15000},
              &slow);
    atomic_store(&has, 1u << 2);
    expect(1, 1, 0);
    atomic_store(&has, 1u << 1 | 1u << 2);
    expect(2, 0, 0);
    cr_assert(rig_until(rig_all_ended, NULL));
    cr_assert_str_eq(slow.text, "slow");
    expect(2, 0, 0);
}

static int64_t breaker_of_first(void)
{
    char target[120];

    snprintf(target, sizeof target, "rig@%s", rig_server_url(servers[1]));
    return metric_value(
        metrics_gauge("viaduct_breaker_state", "", "target", target, NULL));
}

/* It is not closed by time alone: a probe must go well first, and none is sent here. */
Test(rpc_names, a_breaker_is_remembered_when_its_address_goes_and_comes_back)
{
    struct rig_outcome o = {0};

    expect(1, 0, 0);
    while (o.code != &ERR_CODE_UNAVAILABLE)
        rig_do(&(struct rig_call){.method = &RIG_BREAK}, &o);
    cr_assert_neq(breaker_of_first(), 0);
    atomic_store(&has, 1u << 2);
    expect(1, 0, 1);
    atomic_store(&has, 1u << 1 | 1u << 2);
    expect(2, 0, 0);
    cr_assert_neq(breaker_of_first(), 0);
}
