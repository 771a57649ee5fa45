// SPDX-License-Identifier: Apache-2.0
/*
 * Identifiers and the encodings they travel in: UUIDv7 (RFC 9562 section 5.7), lower-case
 * hexadecimal, base64url without padding (RFC 4648 section 5); random bytes. Any thread.
 */
#ifndef KIT_BASE_ID_H
#define KIT_BASE_ID_H

#include "kit/base/arena.h"
#include "kit/base/str.h"

#include <stdint.h>

struct uuid {
    uint8_t b[16];
};

enum { UUID_TEXT_LEN = 36 };

/* Version 7, now; ids made by one thread sort in the order they were made. */
struct uuid uuid_new(void);
static inline bool uuid_eq(struct uuid a, struct uuid b)
{
    return memcmp(a.b, b.b, 16) == 0;
}
static inline bool uuid_is_nil(struct uuid a)
{
    return uuid_eq(a, (struct uuid){{0}});
}

/* Writes UUID_TEXT_LEN bytes, no NUL. */
void uuid_format(struct uuid u, char *out);
struct str uuid_str(struct arena *a, struct uuid u);
/* Exactly 8-4-4-4-12 hexadecimal digits of either case. */
bool uuid_parse(struct str s, struct uuid *out);

/* Cryptographically strong; dies if the kernel cannot give them. */
void random_bytes(void *out, size_t n);
/* Fast and seeded per thread: for jitter and load balancing, never for secrets. */
uint32_t random_u32(void);
uint64_t random_u64(void);

/* Writes 2 * n digits, no NUL. */
void hex_encode(const void *in, size_t n, char *out);
/* s.n must be 2 * n. */
bool hex_decode(struct str s, void *out, size_t n);

struct str base64url_encode(struct arena *a, const void *in, size_t n);
/* Absent on malformed input. */
struct str base64url_decode(struct arena *a, struct str s);

/* A keyed hash for hash tables (SipHash-1-3, Aumasson and Bernstein 2012), key drawn once
 * a process: peers cannot aim at buckets. */
uint64_t hash_bytes(const void *p, size_t n);

#endif
