// SPDX-License-Identifier: Apache-2.0
/*
 * The whole product as processes on free ports, against the real servers whose addresses
 * the test's environment holds (VIADUCT_USERS_PG and so on, written by
 * tools/dev/servers.sh). VIADUCT_STACK_HOP_TLS names a folder of certificates
 * (tests/e2e/hop_certificates.sh): the hop is over mutual TLS then.
 */
#ifndef TESTS_SUPPORT_STACK_STACK_H
#define TESTS_SUPPORT_STACK_STACK_H

#include "tests/support/stack/program.h"

enum stack_part {
    STACK_USERS,
    STACK_ORDERS,
    STACK_JOBS,
    STACK_WORKER,
    STACK_GATEWAY,
    STACK_PARTS
};

enum { STACK_REPLICAS_MAX = 3, STACK_GATEWAY_LOOPS = 2 };

struct stack {
    struct program part[STACK_PARTS]; /* the first replica of each */
    int admin[STACK_PARTS];           /* ports */
    int gateway_port;
    char url[64]; /* "http://127.0.0.1:PORT" */

    /* Replicas after the first; their addresses are among the upstreams from the start,
     * but who runs is up to the test. */
    struct program more[STACK_PARTS][STACK_REPLICAS_MAX - 1];
    int more_admin[STACK_PARTS][STACK_REPLICAS_MAX - 1];
};

struct stack_conf {
    const char *logs;
    int replicas[STACK_PARTS];                  /* addresses of each; 0: one */
    int ports[STACK_PARTS][STACK_REPLICAS_MAX]; /* it listens on; 0: a free one */
    /* Where others find it; NULL: where it listens. */
    const char *upstreams[STACK_PARTS];
    const char *const *env; /* "NAME=value" for every part, NULL-terminated; or NULL */
};

/* Migrates, seeds the demo data, starts every part and waits until all are ready. `logs`
 * is made when missing. Limits of the gateway, and what it takes for a slow service, are
 * set out of the way of tests: their machine may be slow. */
void stack_start(struct stack *s, const char *logs);
/* The same with more to say. Of each part the first replica is started. */
void stack_start_with(struct stack *s, const struct stack_conf *conf);
struct program *stack_replica(struct stack *s, enum stack_part part, int replica);
int stack_replica_admin(const struct stack *s, enum stack_part part, int replica);
/* Where the replica takes calls: "127.0.0.1:PORT". */
const char *stack_replica_address(struct stack *s, enum stack_part part, int replica);
/* Starts it (again) and waits until it is ready. */
void stack_start_replica(struct stack *s, enum stack_part part, int replica);
/* SIGTERM; aborts when it does not end with 0. */
void stack_stop_replica(struct stack *s, enum stack_part part, int replica);
/* The sum of a metric's series whose text begins with `series`, on that admin port:
 * "viaduct_hop_served_total{method=\"orders.get\"". 0 when there is none. */
double stack_metric(int admin, const char *series);

/* Starts one part (again) and waits until it is ready. */
void stack_start_part(struct stack *s, enum stack_part part);
/* SIGTERM to each that runs, gateway first; aborts when one does not exit with 0. */
void stack_stop(struct stack *s);

/* /readyz says 200. */
bool stack_part_ready(const struct stack *s, enum stack_part part);

/* Reads NAME=value lines of a file into the environment, over what is there. */
void stack_load_env(const char *file);

#endif
