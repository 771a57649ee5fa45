// SPDX-License-Identifier: Apache-2.0
/*
 * The hop alone: tuned evhttp in front, a service that gives back what it gets behind,
 * between them kit/rpc or, as a reference, the same frames and flows over a plain unix
 * socket: no NNG, no replicas, no breaker, no budget.
 */
#ifndef TESTS_BENCH_HOP_H
#define TESTS_BENCH_HOP_H

#include "kit/flow/flow.h"
#include "kit/wire/method.h"

#define HOP_TEXT(F, T) F(T, text, text, REQUIRED, 0, 65536, "given back")
WIRE_MESSAGE(hop_text, HOP_TEXT)

#define HOP_METHODS(M) M(0x0a01, HOP_ECHO, "hop.echo", hop_text, hop_text, true, 5000)
HOP_METHODS(RPC_METHOD_DECLARE)

/* ---- hop_plain.c ---- */

/* Serves at the path; returns when it listens. */
void plain_serve(struct loop *l, const char *path, flow_step handler);

struct plain;
struct plain *plain_connect(struct loop *l, const char *path);
/* As rpc_await; a lost connection ends the process. */
MUST_CHECK enum step plain_await(struct flow *f, struct plain *p,
                                 const struct rpc_method *m, const void *in, void *out,
                                 flow_step next);

#endif
