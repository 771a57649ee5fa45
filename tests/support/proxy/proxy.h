// SPDX-License-Identifier: Apache-2.0
/*
 * A bad network: a TCP proxy in a thread of the test, between a caller and a port of
 * 127.0.0.1. It passes bytes on at once, answers after a delay, or nothing at all. What
 * it does can be changed at any time, and holds for what comes from then on.
 */
#ifndef TESTS_SUPPORT_PROXY_PROXY_H
#define TESTS_SUPPORT_PROXY_PROXY_H

#include <stdbool.h>

struct proxy;

/* Listens on a free port. */
struct proxy *proxy_start(int to_port);
int proxy_port(const struct proxy *p);
/* What the other side answers arrives so much later, also what waits already; it
 * is so when this returns. */
void proxy_delay(struct proxy *p, int ms);
/* Takes everything, new connections too, and passes nothing on in either way. Connections
 * that have lost something do not outlive the end of it. */
void proxy_lose_all(struct proxy *p, bool lose);
/* Bytes that callers have sent so far, lost ones included. */
unsigned long proxy_taken(const struct proxy *p);
/* Bytes that callers were given so far; what is delayed is not among them. */
unsigned long proxy_given(const struct proxy *p);
void proxy_stop(struct proxy *p);

#endif
