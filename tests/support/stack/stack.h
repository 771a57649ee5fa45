// SPDX-License-Identifier: Apache-2.0
/*
 * The whole product as processes on free ports, against the real servers whose addresses
 * the test's environment holds (VIADUCT_USERS_PG and so on, written by
 * tools/dev/servers.sh).
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

struct stack {
    struct program part[STACK_PARTS];
    int admin[STACK_PARTS]; /* ports */
    int gateway_port;
    char url[64]; /* "http://127.0.0.1:PORT" */
};

/* Migrates, seeds the demo data, starts every part and waits until all are ready. `logs`
 * is made when missing. Limits of the gateway are set out of the way of tests. */
void stack_start(struct stack *s, const char *logs);
/* Starts one part (again) and waits until it is ready. */
void stack_start_part(struct stack *s, enum stack_part part);
/* SIGTERM to each, gateway first; aborts when one does not exit with 0. */
void stack_stop(struct stack *s);

/* /readyz says 200. */
bool stack_part_ready(const struct stack *s, enum stack_part part);

/* Reads NAME=value lines of a file into the environment, over what is there. */
void stack_load_env(const char *file);

#endif
