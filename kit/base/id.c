// SPDX-License-Identifier: Apache-2.0
/*
 * UUID version 7: 48 bits of milliseconds, then 12 bits of their fraction (RFC 9562
 * section 6.2, method 3), then 62 random bits. When the clock has not moved on, or went
 * back, the 60 bits of time count up instead.
 */
#include "kit/base/id.h"

#include "kit/base/clock.h"

#include <endian.h>
#include <pthread.h>
#include <stdatomic.h>

/* Random bits of the ids, drawn many at a time; ids need not be secret, but unique, also
 * after a fork. */
struct pool {
    uint64_t words[32];
    unsigned used;
    unsigned forks;
};

enum { POOL_WORDS = 32 };

static atomic_uint forks = 1;

static void count_fork(void)
{
    atomic_fetch_add_explicit(&forks, 1, memory_order_relaxed);
}

static void watch_forks(void)
{
    pthread_atfork(NULL, NULL, count_fork);
}

static uint64_t pool_word(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    static _Thread_local struct pool pool;
    unsigned now;

    pthread_once(&once, watch_forks);
    now = atomic_load_explicit(&forks, memory_order_relaxed);
    if (pool.forks != now || pool.used == POOL_WORDS) {
        random_bytes(pool.words, sizeof pool.words);
        pool.used = 0;
        pool.forks = now;
    }
    return pool.words[pool.used++];
}

/* Milliseconds and their 4096th parts, always more than the last. */
static uint64_t next_time(void)
{
    static _Thread_local uint64_t last;
    uint64_t us = (uint64_t)clock_wall_us();
    uint64_t now = us / 1000 << 12 | us % 1000 * 4096 / 1000;

    last = now > last ? now : last + 1;
    return last;
}

struct uuid uuid_new(void)
{
    uint64_t time = next_time();
    uint64_t words[2] = {
        htobe64(time >> 12 << 16 | 0x7000 | (time & 0xFFF)),
        htobe64((pool_word() & 0x3FFFFFFFFFFFFFFF) | 0x8000000000000000)};
    struct uuid u;

    memcpy(u.b, words, sizeof u.b);
    return u;
}

/* Bytes per group of the text. */
static const unsigned char groups[] = {4, 2, 2, 2, 6};

/* 8-4-4-4-12 digits. */
void uuid_format(struct uuid u, char *out)
{
    char digits[2 * sizeof u.b];

    hex_encode(u.b, sizeof u.b, digits);
    memcpy(out, digits, 8);
    out[8] = '-';
    memcpy(out + 9, digits + 8, 4);
    out[13] = '-';
    memcpy(out + 14, digits + 12, 4);
    out[18] = '-';
    memcpy(out + 19, digits + 16, 4);
    out[23] = '-';
    memcpy(out + 24, digits + 20, 12);
}

struct str uuid_str(struct arena *a, struct uuid u)
{
    char *text = arena_alloc(a, UUID_TEXT_LEN + 1);

    uuid_format(u, text);
    return (struct str){text, UUID_TEXT_LEN};
}

bool uuid_parse(struct str s, struct uuid *out)
{
    struct uuid u;
    uint8_t *p = u.b;

    if (s.n != UUID_TEXT_LEN)
        return false;
    for (size_t i = 0; i < sizeof groups; i++) {
        size_t digits = 2u * groups[i];

        if (i && *s.p++ != '-')
            return false;
        if (!hex_decode((struct str){s.p, digits}, p, groups[i]))
            return false;
        s.p += digits;
        p += groups[i];
    }
    *out = u;
    return true;
}
