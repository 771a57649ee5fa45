// SPDX-License-Identifier: Apache-2.0
/*
 * A line is built behind those that its thread holds, and handed out at once or with
 * them. LOG_LINE_MAX is PIPE_BUF, the longest write that is atomic into a pipe. What does
 * not fit is left out and the line says "cut":true. Keys and event ids are the program's
 * own and written as they are.
 */
#include "kit/base/log.h"

#include "kit/base/clock.h"
#include "kit/base/log_writer.h"
#include "kit/base/swar.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>

static const char cut_tail[] =
    "\",\"cut\":true}\n"; /* its first byte may close a string */

enum { ROOM = LOG_LINE_MAX - (sizeof cut_tail - 1), SERVICE_MAX = 64, NUMBER_MAX = 32 };
_Static_assert(LOG_LINE_MAX <= PIPE_BUF, "a line is written atomically");

static const char *const level_names[] = {"debug", "info", "warn", "error"};
static enum log_level least_level = LOG_LEVEL_INFO;

struct line {
    char *b; /* LOG_LINE_MAX bytes */
    size_t n;
    bool cut; /* nothing is added any more */
};

bool log_enabled(enum log_level level)
{
    return level >= least_level;
}

static bool put(struct line *l, const char *p, size_t n)
{
    if (l->cut || l->n + n > ROOM) {
        l->cut = true;
        return false;
    }
    memcpy(l->b + l->n, p, n);
    l->n += n;
    return true;
}

/* How one byte below 0x80 is written inside a JSON string. */
static size_t escape(unsigned char c, char *out)
{
    static const char named[] = "\"\"\\\\\bb\ff\nn\rr\tt";

    for (size_t i = 0; c && i < sizeof named - 1; i += 2) {
        if ((unsigned char)named[i] == c) {
            out[0] = '\\';
            out[1] = named[i + 1];
            return 2;
        }
    }
    if (c >= 0x20) {
        out[0] = (char)c;
        return 1;
    }
    memcpy(out, "\\u00", 4);
    hex_encode(&c, 1, out + 4);
    return 6;
}

/* What fits of it. */
static void put_plain(struct line *l, const char *p, size_t n)
{
    size_t fits = l->n + n > ROOM ? ROOM - l->n : n;

    put(l, p, fits);
    l->cut = l->cut || fits < n;
}

/* The inside of a string; bytes that are not UTF-8 become U+FFFD. */
static void put_text(struct line *l, struct str s)
{
    while (s.n && !l->cut) {
        size_t plain = swar_json_plain_prefix(s.p, s.n);
        size_t step = plain ? plain : str_utf8_step(s);
        char escaped[6];

        if (plain)
            put_plain(l, s.p, plain);
        else if (step == 1)
            put(l, escaped, escape((unsigned char)s.p[0], escaped));
        else if (step == 0)
            put(l, "\xEF\xBF\xBD", 3);
        else
            put(l, s.p, step);
        step += step == 0;
        s = (struct str){s.p + step, s.n - step};
    }
}

/* Closes the string from the reserved room even when it was cut. */
static void put_string(struct line *l, struct str mask, struct str s)
{
    if (!put(l, "\"", 1))
        return;
    if (mask.n)
        put_text(l, mask);
    put_text(l, s);
    l->b[l->n++] = '"';
}

static void put_cstr(struct line *l, const char *s)
{
    put(l, s, strlen(s));
}

static void put_double(struct line *l, double d)
{
    char text[NUMBER_MAX];

    if (isfinite(d))
        snprintf(text, sizeof text, "%.15g", d);
    put_cstr(l, isfinite(d) ? text : "null");
}

static void put_int(struct line *l, int64_t i)
{
    char text[STR_I64_MAX];

    put(l, text, str_from_i64(i, text));
}

/* The domain alone: what follows the last @. */
static struct str email_domain(struct str email)
{
    const char *at = email.n ? memrchr(email.p, '@', email.n) : NULL;

    return at ? (struct str){at, (size_t)(email.p + email.n - at)} : STR("");
}

static void put_value(struct line *l, const struct log_kv *kv)
{
    switch (kv->kind) {
    case LOG_STR:
        if (kv->s.p)
            put_string(l, STR(""), kv->s);
        else
            put_cstr(l, "null");
        break;
    case LOG_EMAIL: put_string(l, STR("***"), email_domain(kv->s)); break;
    case LOG_INT: put_int(l, kv->i); break;
    case LOG_BOOL: put_cstr(l, kv->i ? "true" : "false"); break;
    case LOG_DOUBLE: put_double(l, kv->d); break;
    }
}

/* ,"key": and never as the first of a line. */
static void put_key(struct line *l, struct str key)
{
    char *p = l->b + l->n;

    if (l->cut || l->n + key.n + 4 > ROOM) {
        l->cut = true;
        return;
    }
    memcpy(p, ",\"", 2);
    memcpy(p + 2, key.p, key.n);
    memcpy(p + 2 + key.n, "\":", 2);
    l->n += key.n + 4;
}

/* A member whole, or a string cut at its end, or nothing. */
static void put_member(struct line *l, const struct log_kv *kv)
{
    size_t before = l->n;
    size_t value;

    put_key(l, kv->key);
    value = l->n;
    put_value(l, kv);
    if (l->cut && l->n == value)
        l->n = before;
}

static void put_present(struct line *l, const char *key, struct str s)
{
    if (s.p) {
        struct log_kv kv = log_kv_str(key, s);

        put_member(l, &kv);
    }
}

static void put_context(struct line *l, const struct log_ctx *ctx)
{
    put_present(l, "request_id", ctx->request_id);
    put_present(l, "trace_id", ctx->trace_id);
    put_present(l, "user_id", ctx->user_id);
    put_present(l, "route", ctx->route);
}

/* ---- what lines begin with ---- */

#define SERVICE_KEY "\",\"service\":\""
#define EVENT_KEY   "\",\"event\":\""

/* The same in every line of the process. */
static char service_part[6 * SERVICE_MAX + 64] = SERVICE_KEY EVENT_KEY;

void log_init(const char *service, enum log_level least)
{
    char b[LOG_LINE_MAX];
    struct line l = {.b = b};

    put_cstr(&l, SERVICE_KEY);
    put_text(&l, (struct str){service, strnlen(service, SERVICE_MAX - 1)});
    put_cstr(&l, EVENT_KEY);
    snprintf(service_part, sizeof service_part, "%.*s", (int)l.n, l.b);
    least_level = least;
}

/* A second's text is kept: of lines that follow each other, only digits behind the point
 * differ. */
static void put_time(struct line *l)
{
    enum { FRACTION_AT = CLOCK_RFC3339_LEN - 7, SECOND_US = 1000000 };
    static _Thread_local char text[CLOCK_RFC3339_LEN];
    static _Thread_local int64_t second_us;
    int64_t now_us = clock_wall_us(), us = now_us - second_us;

    if (us < 0 || us >= SECOND_US || second_us == 0) {
        clock_format_rfc3339(now_us, text);
        second_us = now_us - now_us % SECOND_US;
    } else {
        for (int i = FRACTION_AT + 5; i >= FRACTION_AT; i--, us /= 10)
            text[i] = (char)('0' + us % 10);
    }
    put(l, text, sizeof text);
}

static void put_head(struct line *l, enum log_level level, const char *event)
{
    put_cstr(l, "{\"ts\":\"");
    put_time(l);
    put_cstr(l, "\",\"level\":\"");
    put_cstr(l, level_names[level]);
    put_cstr(l, service_part);
    put_cstr(l, event);
    put_cstr(l, "\"");
}

/* ---- lines ---- */

static _Thread_local struct {
    bool on;
    size_t n;                 /* bytes of whole lines, LOG_LINE_MAX at most */
    char b[2 * LOG_LINE_MAX]; /* and one being built */
} held;

void log_flush(void)
{
    int saved = errno;

    if (held.n > 0)
        log_out(held.b, held.n);
    held.n = 0;
    errno = saved;
}

void log_hold(bool on)
{
    log_flush();
    held.on = on;
}

static void hand_out(const struct line *l, enum log_level level)
{
    if (held.n + l->n > LOG_LINE_MAX) {
        log_flush();
        memmove(held.b, l->b, l->n);
    }
    held.n += l->n;
    if (!held.on || level >= LOG_LEVEL_WARN)
        log_flush();
}

void log_write(enum log_level level, const struct log_ctx *ctx, const char *event,
               const struct log_kv *kv, size_t n)
{
    struct line l = {.b = held.b + held.n};
    const char *tail;

    if (!log_enabled(level))
        return;
    put_head(&l, level, event);
    if (ctx)
        put_context(&l, ctx);
    for (size_t i = 0; i < n; i++)
        put_member(&l, &kv[i]);
    tail = l.cut ? cut_tail + 1 : "}\n";
    memcpy(l.b + l.n, tail, strlen(tail));
    l.n += strlen(tail);
    hand_out(&l, level);
}
