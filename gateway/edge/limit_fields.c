// SPDX-License-Identifier: Apache-2.0
/* RateLimit-Policy and RateLimit: what a request has been told of its limits. */
#include "gateway/edge/limit.h"

enum { ITEM_MAX = 128 };

static char *put(char *at, struct str s)
{
    memcpy(at, s.p, s.n);
    return at + s.n;
}

static char *put_separator(char *at, const char *begin)
{
    return at == begin ? at : put(at, STR(", "));
}

static struct str made(const char *begin, const char *end)
{
    return (struct str){end == begin ? NULL : begin, (size_t)(end - begin)};
}

struct str limit_policy_header(struct arena *a, const struct limit_take *t)
{
    char *begin = arena_alloc(a, t->n * ITEM_MAX + 1), *at = begin;

    for (unsigned p = 0; p < LIMIT_POLICY_COUNT; p++)
        if (t->answers[p].asked)
            at = put(put_separator(at, begin), limiter_policy_text(t->limiter, p));
    return made(begin, at);
}

struct str limit_header(struct arena *a, const struct limit_take *t)
{
    char *begin = arena_alloc(a, t->n * ITEM_MAX + 1), *at = begin;

    for (unsigned p = 0; p < LIMIT_POLICY_COUNT; p++) {
        const struct limit_answer *answer = &t->answers[p];

        if (!answer->asked)
            continue;
        at = put(put_separator(at, begin), STR("\""));
        at = put(at, str_of(limit_policies[p].name));
        at = put(at, STR("\";r="));
        at += str_from_i64(answer->remaining, at);
        at = put(at, STR(";t="));
        at += str_from_i64((answer->reset_ms + 999) / 1000, at);
    }
    return made(begin, at);
}
