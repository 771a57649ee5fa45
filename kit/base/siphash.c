// SPDX-License-Identifier: Apache-2.0
/* SipHash from the definition in section 2 of the paper; words are little-endian. */
#include "kit/base/siphash.h"

#include <string.h>

/* In builds for debugging too: the numbers of rounds are constants then. */
#define INLINE static inline __attribute__((always_inline))

struct sip {
    uint64_t v0, v1, v2, v3;
};

INLINE uint64_t rotate_left(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

INLINE void sip_rounds(struct sip *s, int rounds)
{
    for (; rounds > 0; rounds--) {
        s->v0 += s->v1;
        s->v2 += s->v3;
        s->v1 = rotate_left(s->v1, 13) ^ s->v0;
        s->v3 = rotate_left(s->v3, 16) ^ s->v2;
        s->v0 = rotate_left(s->v0, 32);
        s->v2 += s->v1;
        s->v0 += s->v3;
        s->v1 = rotate_left(s->v1, 17) ^ s->v2;
        s->v3 = rotate_left(s->v3, 21) ^ s->v0;
        s->v2 = rotate_left(s->v2, 32);
    }
}

INLINE uint64_t load_le64(const unsigned char *p)
{
    uint64_t word;

    memcpy(&word, p, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

/* What is left over, below the length's low byte. */
static inline uint64_t last_word(const unsigned char *p, size_t n)
{
    uint64_t word = (uint64_t)n << 56;

    for (size_t i = 0; i < n % 8; i++)
        word |= (uint64_t)p[n - n % 8 + i] << (8 * i);
    return word;
}

INLINE void sip_word(struct sip *s, int c, uint64_t word)
{
    s->v3 ^= word;
    sip_rounds(s, c);
    s->v0 ^= word;
}

INLINE uint64_t sip(int c, int d, struct siphash_key key, const void *bytes, size_t n)
{
    struct sip s = {key.k0 ^ 0x736f6d6570736575, key.k1 ^ 0x646f72616e646f6d,
                    key.k0 ^ 0x6c7967656e657261, key.k1 ^ 0x7465646279746573};
    const unsigned char *p = bytes;

    for (size_t i = 0; i < n / 8; i++)
        sip_word(&s, c, load_le64(p + 8 * i));
    sip_word(&s, c, last_word(p, n));
    s.v2 ^= 0xff;
    sip_rounds(&s, d);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

uint64_t siphash(int c, int d, struct siphash_key key, const void *p, size_t n)
{
    return sip(c, d, key, p, n);
}

uint64_t siphash13(struct siphash_key key, const void *p, size_t n)
{
    return sip(1, 3, key, p, n);
}
