// SPDX-License-Identifier: Apache-2.0
/* A set of session ids with a time each until which they are in it. Open addressing,
 * bounded; when it is full, what ends first makes room. One thread. */
#ifndef GATEWAY_EDGE_SESSION_SET_H
#define GATEWAY_EDGE_SESSION_SET_H

#include "kit/base/id.h"

enum { SESSION_SET_MAX = 200000 };

struct session_set_entry {
    struct uuid id;
    int64_t until_s; /* 0: free */
};

struct session_set {
    struct session_set_entry *slots;
    size_t room; /* a power of two */
    size_t n;    /* taken slots, expired ones included */
};

void session_set_init(struct session_set *s);
void session_set_fini(struct session_set *s);
void session_set_add(struct session_set *s, struct uuid id, int64_t until_s,
                     int64_t now_s);
bool session_set_has(const struct session_set *s, struct uuid id, int64_t now_s);

#endif
