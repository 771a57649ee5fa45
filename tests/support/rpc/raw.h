// SPDX-License-Identifier: Apache-2.0
/*
 * Peers of a service by hand: over a raw REQ socket of NNG, or over bytes of TCP. What
 * cannot be done ends the test.
 */
#ifndef TESTS_SUPPORT_RPC_RAW_H
#define TESTS_SUPPORT_RPC_RAW_H

#include "kit/rpc/frame.h"

#include <nng/nng.h>

/* Connected to the service. */
nng_socket raw_open(const char *url);
void raw_send(nng_socket s, const void *bytes, size_t n);
/* A message of one frame, which is small. */
void raw_send_frame(nng_socket s, uint32_t session, const struct rpc_frame *f);
/* HELLO, and its answer by the rig's service; the session. */
uint32_t raw_greet(nng_socket s);

/* Of this process's services and callers. */
int64_t raw_bad_frames(void);
/* For rig_until: there are so many at least; `n` is an int64_t. */
bool raw_bad_frames_reach(void *n);

/* A connection to the port of a URL, at 127.0.0.1. */
int raw_dial(const char *url);
/* Closes with RST. */
void raw_reset(int fd);
/* Reads to the other side's end, and closes; false: that does not come. */
bool raw_ends(int fd);

#endif
