// SPDX-License-Identifier: Apache-2.0
/*
 * SipHash-c-d (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012) with the
 * numbers of rounds as arguments, so that the paper's own vectors can be checked.
 */
#ifndef KIT_BASE_SIPHASH_H
#define KIT_BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
    uint64_t k0, k1;
};

uint64_t siphash(int c, int d, struct siphash_key key, const void *p, size_t n);

/* What hash tables use: one round per word, three at the end. */
uint64_t siphash13(struct siphash_key key, const void *p, size_t n);

#endif
