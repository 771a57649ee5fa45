// SPDX-License-Identifier: Apache-2.0
/*
 * The breaker's state machine. The rolling window is a ring of buckets with a running
 * sum, so that a decision costs a few comparisons; enter() is the one place that changes
 * state.
 */
#include "kit/guard/breaker.h"

#include "kit/base/id.h"

#include <string.h>

const struct breaker_conf BREAKER_DEFAULTS = {
    .window_ms = 10000,
    .min_calls = 10,
    .failure_ratio = 0.5,
    .slow_ratio = 0.8,
    .slow_ms = 1000,
    .dead_ms = 250,
    .open_ms = 500,
    .open_max_ms = 10000,
    .probes = 3,
};

static int64_t bucket_width_us(const struct breaker *b)
{
    int64_t us = (int64_t)b->conf->window_ms * 1000 / BREAKER_BUCKETS;

    return us > 0 ? us : 1;
}

static void window_clear(struct breaker *b, int64_t now_us)
{
    memset(b->buckets, 0, sizeof b->buckets);
    b->sum = (struct breaker_bucket){0};
    b->bucket_us = now_us;
    b->current = 0;
}

static void window_next_bucket(struct breaker *b)
{
    struct breaker_bucket *oldest;

    b->current = (b->current + 1) % BREAKER_BUCKETS;
    oldest = &b->buckets[b->current];
    b->sum.calls -= oldest->calls;
    b->sum.failures -= oldest->failures;
    b->sum.slow -= oldest->slow;
    *oldest = (struct breaker_bucket){0};
    b->bucket_us += bucket_width_us(b);
}

static void window_roll(struct breaker *b, int64_t now_us)
{
    int64_t width = bucket_width_us(b);

    if (now_us - b->bucket_us >= width * BREAKER_BUCKETS) {
        window_clear(b, now_us);
        return;
    }
    while (now_us - b->bucket_us >= width)
        window_next_bucket(b);
}

static void window_add(struct breaker *b, bool failed, bool slow)
{
    struct breaker_bucket *now = &b->buckets[b->current];

    now->calls++;
    now->failures += failed;
    now->slow += slow;
    b->sum.calls++;
    b->sum.failures += failed;
    b->sum.slow += slow;
}

static bool window_is_bad(const struct breaker *b)
{
    double calls = b->sum.calls;

    /* a ratio of 0 must not open on calls that all went well */
    return b->sum.calls >= b->conf->min_calls &&
           ((b->sum.failures > 0 && b->sum.failures >= b->conf->failure_ratio * calls) ||
            (b->sum.slow > 0 && b->sum.slow >= b->conf->slow_ratio * calls));
}

static void row_clear(struct breaker *b, int64_t now_us)
{
    b->good_us = now_us;
    b->row = 0;
}

static void row_add(struct breaker *b, int64_t began_us)
{
    if (b->row++ == 0)
        b->row_us = began_us > b->good_us ? began_us : b->good_us;
}

static bool row_is_dead(const struct breaker *b, int64_t now_us)
{
    return b->conf->dead_ms > 0 && b->row > 0 && b->row >= b->conf->min_calls &&
           now_us - b->row_us >= (int64_t)b->conf->dead_ms * 1000;
}

/* +-20 %, so that the breakers of many processes do not probe together. */
static int64_t jittered_us(uint32_t ms)
{
    return (int64_t)ms * (800 + random_u32() % 401);
}

static void enter_closed(struct breaker *b, int64_t now_us)
{
    window_clear(b, now_us);
    row_clear(b, now_us);
    b->open_ms = b->conf->open_ms;
}

static void enter_half_open(struct breaker *b, int64_t now_us)
{
    b->half_open_us = now_us;
    b->probes_out = b->probes_ok = 0;
    b->stale_out = b->calls_out;
}

static void enter_open(struct breaker *b, int64_t now_us)
{
    uint32_t max = b->conf->open_max_ms;

    b->open_until_us = now_us + jittered_us(b->open_ms);
    b->open_ms = b->open_ms < max / 2 ? b->open_ms * 2 : max;
}

static void enter(struct breaker *b, enum breaker_state state, int64_t now_us)
{
    static void (*const ENTER[])(struct breaker *, int64_t) = {
        [BREAKER_CLOSED] = enter_closed,
        [BREAKER_HALF_OPEN] = enter_half_open,
        [BREAKER_OPEN] = enter_open,
    };

    b->state = state;
    ENTER[state](b, now_us);
}

void breaker_init(struct breaker *b, const struct breaker_conf *conf, int64_t now_us)
{
    *b = (struct breaker){.conf = conf};
    enter(b, BREAKER_CLOSED, now_us);
}

static uint32_t probes_max(const struct breaker *b)
{
    return b->conf->probes > 0 ? b->conf->probes : 1;
}

static bool probe_is_free(const struct breaker *b)
{
    return b->probes_out + b->probes_ok < probes_max(b);
}

bool breaker_allow(struct breaker *b, int64_t now_us)
{
    if (b->state == BREAKER_OPEN && now_us >= b->open_until_us)
        enter(b, BREAKER_HALF_OPEN, now_us);
    if (b->state == BREAKER_OPEN || (b->state == BREAKER_HALF_OPEN && !probe_is_free(b)))
        return false;
    b->probes_out += b->state == BREAKER_HALF_OPEN;
    b->calls_out++;
    return true;
}

static bool is_slow(const struct breaker *b, int64_t took_us)
{
    return took_us >= (int64_t)b->conf->slow_ms * 1000;
}

static void report_closed(struct breaker *b, int64_t now_us, bool failed, int64_t took_us)
{
    window_roll(b, now_us);
    window_add(b, failed, is_slow(b, took_us));
    if (failed)
        row_add(b, now_us - took_us);
    else
        row_clear(b, now_us);
    if (window_is_bad(b) || row_is_dead(b, now_us))
        enter(b, BREAKER_OPEN, now_us);
}

static void report_probe(struct breaker *b, int64_t now_us, bool well)
{
    b->probes_out -= b->probes_out > 0;
    if (!well) {
        enter(b, BREAKER_OPEN, now_us);
        return;
    }
    b->probes_ok++;
    if (b->probes_ok >= probes_max(b))
        enter(b, BREAKER_CLOSED, now_us);
}

static bool is_stale(const struct breaker *b, int64_t now_us, int64_t took_us)
{
    return b->stale_out > 0 && now_us - took_us < b->half_open_us;
}

void breaker_report(struct breaker *b, int64_t now_us, bool failed, int64_t took_us)
{
    bool slow = is_slow(b, took_us);

    b->calls_out -= b->calls_out > 0;
    if (b->state == BREAKER_CLOSED)
        report_closed(b, now_us, failed, took_us);
    else if (b->state == BREAKER_HALF_OPEN && is_stale(b, now_us, took_us))
        b->stale_out--;
    else if (b->state == BREAKER_HALF_OPEN)
        report_probe(b, now_us, !failed && !(slow && b->conf->slow_ratio <= 1));
}

void breaker_forget(struct breaker *b, int64_t now_us)
{
    (void)now_us;
    b->calls_out -= b->calls_out > 0;
    /* Perhaps it was a stale one and not a probe; then one probe more goes out, which
     * does no harm, while a probe too few would keep the breaker half-open for ever. */
    if (b->state == BREAKER_HALF_OPEN && b->probes_out > 0)
        b->probes_out--;
}

enum breaker_state breaker_state(const struct breaker *b, int64_t now_us)
{
    return b->state == BREAKER_OPEN && now_us >= b->open_until_us ? BREAKER_HALF_OPEN
                                                                  : b->state;
}

int64_t breaker_retry_after_ms(const struct breaker *b, int64_t now_us)
{
    if (b->state == BREAKER_OPEN && now_us < b->open_until_us)
        return (b->open_until_us - now_us + 999) / 1000;
    if (b->state == BREAKER_HALF_OPEN && !probe_is_free(b))
        return b->conf->slow_ms > 0 ? b->conf->slow_ms : 1;
    return 0;
}

bool breaker_wants_probe(const struct breaker *b, int64_t now_us)
{
    return breaker_state(b, now_us) == BREAKER_HALF_OPEN &&
           (b->state == BREAKER_OPEN || b->probes_out == 0);
}

const char *breaker_state_name(enum breaker_state s)
{
    static const char *const NAMES[] = {
        [BREAKER_CLOSED] = "closed",
        [BREAKER_HALF_OPEN] = "half_open",
        [BREAKER_OPEN] = "open",
    };

    return NAMES[s];
}
