// SPDX-License-Identifier: Apache-2.0
/* Replies of hiredis as ours, in an arena. Nesting is bounded by hiredis (9 levels). */
#include "kit/cache/client.h"

struct redis_reply redis_reply_copy(struct arena *a, const redisReply *r)
{
    struct redis_reply out = {.type = REDIS_STR};

    switch (r->type) {
    case REDIS_REPLY_NIL: out.type = REDIS_NIL; break;
    case REDIS_REPLY_INTEGER:
    case REDIS_REPLY_BOOL:
        out.type = REDIS_INT;
        out.i = r->integer;
        break;
    case REDIS_REPLY_ARRAY:
    case REDIS_REPLY_MAP:
    case REDIS_REPLY_SET:
    case REDIS_REPLY_PUSH:
        out.type = REDIS_ARRAY;
        out.n = r->elements;
        out.v = ARENA_ARRAY(a, struct redis_reply, r->elements);
        for (size_t i = 0; i < r->elements; i++)
            out.v[i] = redis_reply_copy(a, r->element[i]);
        break;
    case REDIS_REPLY_ERROR: out.type = REDIS_ERROR; __attribute__((fallthrough));
    default: out.s = arena_str(a, (struct str){r->str, r->len}); break;
    }
    return out;
}

bool redis_reply_starts(const redisReply *r, const char *prefix)
{
    return str_starts((struct str){r->str, r->len}, str_of(prefix));
}

/* Redis is there but cannot serve: it starts, fails over, is full or busy. */
static bool is_unavailable(const redisReply *r)
{
    static const char *const words[] = {"LOADING",     "READONLY", "MASTERDOWN",
                                        "CLUSTERDOWN", "OOM",      "BUSY",
                                        "NOREPLICAS",  "MISCONF"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (redis_reply_starts(r, words[i]))
            return true;
    return false;
}

const struct err_code *redis_reply_error(const struct log_ctx *ctx, const redisReply *r)
{
    bool unavailable = is_unavailable(r);
    struct str rest, word = str_split((struct str){r->str, r->len}, ' ', &rest);

    /* only the first word: the rest may quote keys and arguments */
    LOG_WARN(ctx, "redis.error", KV("error", word));
    metric_add(metrics_counter("viaduct_redis_errors_total", "Error replies", "kind",
                               unavailable ? "unavailable" : "internal", NULL),
               1);
    return unavailable ? &ERR_CODE_UNAVAILABLE : &ERR_CODE_INTERNAL;
}
