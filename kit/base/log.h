// SPDX-License-Identifier: Apache-2.0
/*
 * Structured logs: one JSON object per line on stderr, each whole in one write(2), so
 * lines of several threads and processes never mix. A thread may hold its lines for a
 * moment and write several at once: a loop does so until the end of the turn. A line has
 * ts, level, event (stable id, "rpc.timeout"), what the context adds (request_id,
 * trace_id, user_id, route) and its own keys.
 *
 *     LOG_WARN(ctx, "rpc.timeout", KV("method", name), KV("ms", elapsed_ms));
 *
 * Personal data is masked by type: KV_SECRET prints a fixed mask, KV_EMAIL the domain
 * only. Any thread. A line over LOG_LINE_MAX bytes is cut, and says so.
 */
#ifndef KIT_BASE_LOG_H
#define KIT_BASE_LOG_H

#include "kit/base/id.h"
#include "kit/base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };
enum { LOG_LINE_MAX = 4096 };

/* What a request adds to each of its lines. All members may be absent; NULL is a context
 * too: a line about the process itself. */
struct log_ctx {
    struct str request_id;
    struct str trace_id; /* 32 hex digits */
    struct str user_id;
    struct str route; /* a template, never a raw path */
};

enum log_kind { LOG_STR, LOG_INT, LOG_BOOL, LOG_DOUBLE, LOG_EMAIL };

struct log_kv {
    struct str key;
    enum log_kind kind;
    struct str s;
    int64_t i;
    double d;
};

/* Process-wide; called once before threads start. `service` is in every line. */
void log_init(const char *service, enum log_level least);

/* Lines below `warn` of this thread wait for log_flush(), for a line that is not below,
 * or until they are LOG_LINE_MAX bytes; with false they leave at once again. */
void log_hold(bool on);
void log_flush(void);

/* With true a thread writes from now on, and nobody who logs waits for a disk or a pipe.
 * While it is held up 1 MiB waits; what comes then is lost, and a line `log.lost` says
 * how many writes were. With false it ends when all is written. From one thread. */
void log_background(bool on);
/* Waits until this thread's lines and all before them are written, a second at most: for
 * what comes before _exit() or abort(). */
void log_sync(void);

bool log_enabled(enum log_level level);
void log_write(enum log_level level, const struct log_ctx *ctx, const char *event,
               const struct log_kv *kv, size_t n);

static inline struct log_kv log_kv_str(const char *key, struct str v)
{
    return (struct log_kv){.key = str_of(key), .kind = LOG_STR, .s = v};
}
static inline struct log_kv log_kv_cstr(const char *key, const char *v)
{
    return log_kv_str(key, str_of(v));
}
static inline struct log_kv log_kv_int(const char *key, int64_t v)
{
    return (struct log_kv){.key = str_of(key), .kind = LOG_INT, .i = v};
}
static inline struct log_kv log_kv_uint(const char *key, uint64_t v)
{
    return log_kv_int(key, v > INT64_MAX ? INT64_MAX : (int64_t)v);
}
static inline struct log_kv log_kv_bool(const char *key, bool v)
{
    return (struct log_kv){.key = str_of(key), .kind = LOG_BOOL, .i = v};
}
static inline struct log_kv log_kv_double(const char *key, double v)
{
    return (struct log_kv){.key = str_of(key), .kind = LOG_DOUBLE, .d = v};
}

/* By the type of the value: struct str, char *, bool, integers, double. */
#define KV(key, ...)                     \
    _Generic((__VA_ARGS__),              \
        struct str: log_kv_str,          \
        char *: log_kv_cstr,             \
        const char *: log_kv_cstr,       \
        bool: log_kv_bool,               \
        float: log_kv_double,            \
        double: log_kv_double,           \
        unsigned long: log_kv_uint,      \
        unsigned long long: log_kv_uint, \
        default: log_kv_int)(key, __VA_ARGS__)
/* A secret is there, nothing of it is shown. */
#define KV_SECRET(key) log_kv_cstr(key, "***")
/* "***@example.com" */
static inline struct log_kv log_kv_email(const char *key, struct str email)
{
    return (struct log_kv){.key = str_of(key), .kind = LOG_EMAIL, .s = email};
}
#define KV_EMAIL(key, v) log_kv_email(key, v)

#define LOG_PUT(level, ctx, event, ...)                                      \
    do {                                                                     \
        if (log_enabled(level)) {                                            \
            const struct log_kv kv_[] = {__VA_ARGS__};                       \
            log_write(level, ctx, event, kv_, sizeof kv_ / sizeof *kv_ - 1); \
        }                                                                    \
    } while (0)
/* ctx, event, then any number of KV: nothing of them is evaluated below the level. */
#define LOG_AT(level, ctx, ...) LOG_PUT(level, ctx, __VA_ARGS__, {.kind = LOG_STR})
#define LOG_DEBUG(ctx, ...)     LOG_AT(LOG_LEVEL_DEBUG, ctx, __VA_ARGS__)
#define LOG_INFO(ctx, ...)      LOG_AT(LOG_LEVEL_INFO, ctx, __VA_ARGS__)
#define LOG_WARN(ctx, ...)      LOG_AT(LOG_LEVEL_WARN, ctx, __VA_ARGS__)
#define LOG_ERROR(ctx, ...)     LOG_AT(LOG_LEVEL_ERROR, ctx, __VA_ARGS__)

#endif
