// SPDX-License-Identifier: Apache-2.0
/* Randomness: from the kernel where it must be strong, from a small generator for jitter.
 */
#include "kit/base/id.h"
#include "kit/base/mem.h"
#include "kit/base/siphash.h"

#include <errno.h>
#include <pthread.h>
#include <sys/random.h>

void random_bytes(void *out, size_t n)
{
    char *p = out;

    while (n > 0) {
        ssize_t got = getrandom(p, n, 0);

        if (got < 0 && errno != EINTR)
            mem_die("getrandom: error %d", errno);
        if (got > 0) {
            p += got;
            n -= (size_t)got;
        }
    }
}

/* SplitMix64 (Steele, Lea and Flood 2014): a counter and a mixing function. */
uint64_t random_u64(void)
{
    static _Thread_local uint64_t state;
    uint64_t z;

    if (state == 0)
        random_bytes(&state, sizeof state);
    state += 0x9e3779b97f4a7c15;
    z = state;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

uint32_t random_u32(void)
{
    return (uint32_t)(random_u64() >> 32);
}

static struct siphash_key hash_key;

static void draw_hash_key(void)
{
    random_bytes(&hash_key, sizeof hash_key);
}

uint64_t hash_bytes(const void *p, size_t n)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, draw_hash_key);
    return siphash13(hash_key, p, n);
}
