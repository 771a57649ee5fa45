// SPDX-License-Identifier: Apache-2.0
/*
 * evhttp with every cheap knob there is: freelists in place of malloc, a Date that is
 * written once a second, the body in evhttp's own buffer and our own Content-Length; the
 * epoll changelist and no locks are the base's. It checks nothing and counts nothing.
 * For one thread.
 */
#ifndef TESTS_BENCH_TUNED_H
#define TESTS_BENCH_TUNED_H

#include <event2/event.h>
#include <event2/http.h>

/* Before anything else of libevent. */
void tuned_memory(void);
/* On 127.0.0.1; the process ends when the port is taken. */
void tuned_listen(struct event_base *base, const char *port,
                  void (*on_request)(struct evhttp_request *r, void *arg), void *arg);
/* 200 with JSON. */
void tuned_answer(struct evhttp_request *r, const char *body, size_t n);

#endif
