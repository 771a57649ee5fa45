// SPDX-License-Identifier: Apache-2.0
/*
 * Circuit breaker: closed -> open -> half-open -> closed. It opens by either of two
 * rules, when there are at least `min_calls` calls to judge by:
 *
 *   ratio  over a rolling window, the ratio of failures or of slow calls reaches its
 * limit row    nothing but failures has come for `dead_ms`: the last good answer, and the
 * start of the first call that failed since, are so long ago. A peer that is gone is
 *          known at once, however many good calls the window still holds; the calls that
 *          one lost connection takes with it are of one moment, and are not a row.
 *
 * It stays open for a jittered time that doubles on each re-opening up to a cap; then
 * lets `probes` calls through, and closes when all of them do well. (Nygard, Release It!,
 * chapter 5; the windowed ratios are those of resilience4j; the row is Envoy's outlier
 * detection, consecutive_5xx in outlier_detection.proto, which counts calls only.) Pure:
 * the caller gives the time. One thread.
 */
#ifndef KIT_GUARD_BREAKER_H
#define KIT_GUARD_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

enum breaker_state { BREAKER_CLOSED, BREAKER_HALF_OPEN, BREAKER_OPEN };
enum { BREAKER_BUCKETS = 10 };

struct breaker_conf {
    uint32_t window_ms;   /* rolling window, in BREAKER_BUCKETS buckets */
    uint32_t min_calls;   /* fewer in the window, or in a row, never open it */
    double failure_ratio; /* 0..1 */
    double slow_ratio;    /* 0..1; 1.1 switches it off */
    uint32_t dead_ms;     /* nothing but failures for so long; 0 switches it off */
    uint32_t slow_ms;     /* a call is slow from here on */
    uint32_t open_ms;     /* first open time; jittered by +-20 % */
    uint32_t open_max_ms;
    uint32_t probes; /* calls let through half-open */
};
extern const struct breaker_conf BREAKER_DEFAULTS;

struct breaker_bucket {
    uint32_t calls, failures, slow;
};

struct breaker {
    const struct breaker_conf *conf;
    enum breaker_state state;
    struct breaker_bucket buckets[BREAKER_BUCKETS], sum;
    int64_t bucket_us; /* start of the current bucket */
    unsigned current;
    int64_t good_us; /* the last good answer, or when it closed */
    int64_t row_us;  /* since when nothing but failures has come... */
    uint32_t row;    /* ...and how many */
    int64_t open_until_us;
    int64_t half_open_us; /* when it became half-open */
    uint32_t open_ms;     /* the next open time */
    uint32_t probes_out, probes_ok;
    uint32_t calls_out; /* allowed and not yet reported */
    uint32_t stale_out; /* of those, how many are from before it became half-open */
};

void breaker_init(struct breaker *b, const struct breaker_conf *conf, int64_t now_us);

/* May a call be made now? true must be followed by exactly one breaker_report or
 * breaker_forget. */
bool breaker_allow(struct breaker *b, int64_t now_us);
/* `failed` by err_kind_info.breaker_failure; took_us counts from breaker_allow. What was
 * allowed before the breaker opened does not decide how a half-open one goes on. */
void breaker_report(struct breaker *b, int64_t now_us, bool failed, int64_t took_us);
/* The call ended without telling anything about the peer (cancelled by us). */
void breaker_forget(struct breaker *b, int64_t now_us);

/* Without changing anything. */
enum breaker_state breaker_state(const struct breaker *b, int64_t now_us);
/* How long until it lets a call through; 0 when it does now. A guess while all probes are
 * out. */
int64_t breaker_retry_after_ms(const struct breaker *b, int64_t now_us);
/* Half-open, and no probe is out: until one goes it stays so. */
bool breaker_wants_probe(const struct breaker *b, int64_t now_us);
const char *breaker_state_name(enum breaker_state s);

#endif
