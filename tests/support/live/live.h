// SPDX-License-Identifier: Apache-2.0
/*
 * For tests on real servers: running a loop until something is true, unique names,
 * settings from the environment, a server of one's own that may be stopped.
 */
#ifndef TESTS_SUPPORT_LIVE_LIVE_H
#define TESTS_SUPPORT_LIVE_LIVE_H

#include "kit/base/arena.h"
#include "kit/loop/loop.h"

#include <stdbool.h>

/* Turns the loop until cond(arg) holds; false after LIVE_BOUND_MS. */
enum { LIVE_BOUND_MS = 60000 };
bool live_until(struct loop *l, bool (*cond)(void *arg), void *arg);
/* The same with a bound of one's own. */
bool live_until_ms(struct loop *l, bool (*cond)(void *arg), void *arg, int64_t bound_ms);
/* Gives what is queued in the loop a chance to run. */
void live_turns(struct loop *l, int64_t ms);

/* The value of a setting; ends the process with a sentence when it is missing. */
const char *live_setting(const char *name);

/* "prefix-<random>" in the arena. */
const char *live_name(struct arena *a, const char *prefix);

/* tools/dev/servers.sh ACTION SERVER INSTANCE: servers that are this test's own. */
bool live_server(const char *action, const char *server, const char *instance);
/* Waits until no other test holds this name; for servers that a test stops. */
int live_lock(const char *name);
void live_unlock(int lock);
/* Where that server listens on 127.0.0.1. */
int live_server_port(const char *server, const char *instance);

#endif
