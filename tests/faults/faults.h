// SPDX-License-Identifier: Apache-2.0
/* A stack on servers of its own, so that they can be killed. */
#ifndef TESTS_FAULTS_FAULTS_H
#define TESTS_FAULTS_FAULTS_H

#include "tests/support/stack/api.h"
#include "tests/support/stack/stack.h"

#include <criterion/criterion.h>

struct faults {
    struct stack stack;
    struct api api;
    const char *admin; /* token */
};

/* Fresh servers, a fresh stack. */
void faults_open(struct faults *t);
/* The same with replicas and settings; conf's logs are filled in. */
void faults_open_with(struct faults *t, struct stack_conf conf);
/* Ends the stack properly (which must go well) and wipes the servers. */
void faults_close(struct faults *t);

/* action: start or stop. */
void faults_server(const char *action, const char *server);

const char *faults_product(struct faults *t, int stock);
const char *faults_product_called(struct faults *t, const char *name, int stock);
/* The id of a fresh order, or NULL when it was not answered with 201. */
const char *faults_order(struct api *api, const char *token, const char *product);

/* Waits until the gateway has so many replicas of the service in use, and its breakers
 * let calls through. */
void faults_wait_replicas(struct faults *t, const char *service, int n);

/* Waits until the ledger has no job that is not done, and at least n that are. */
void faults_wait_jobs_done(long n, int timeout_s);

#endif
