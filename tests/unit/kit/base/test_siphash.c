// SPDX-License-Identifier: Apache-2.0
/*
 * SipHash by known answers: the paper's appendix for 2-4, and for 1-3 what CPython
 * (source_hash) and the authors' reference program give.
 */
#include "kit/base/id.h"
#include "kit/base/siphash.h"

#include <criterion/criterion.h>

static const struct siphash_key paper_key = {0x0706050403020100, 0x0f0e0d0c0b0a0908};

/* 00 01 02 ... */
static uint64_t hash_of_counting(int c, int d, struct siphash_key key, size_t n)
{
    uint8_t bytes[64];

    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)i;
    return siphash(c, d, key, bytes, n);
}

Test(siphash, gives_the_papers_answer_with_2_and_4_rounds)
{
    cr_assert_eq(hash_of_counting(2, 4, paper_key, 15), 0xa129ca6149be45e5);
    cr_assert_eq(hash_of_counting(2, 4, paper_key, 0), 0x726fdb47dd0e0e31);
    cr_assert_eq(hash_of_counting(2, 4, paper_key, 8), 0x93f5f5799a932462);
}

Test(siphash, gives_known_answers_with_1_and_3_rounds)
{
    static const struct {
        uint64_t k0;
        size_t n;
        uint64_t hash;
    } known[] = {
        {0, 0, 0xd1fba762150c532c},
        {0, 1, 0x68a914128e01e473},
        {0, 7, 0x2f098ab0c751325a},
        {0, 8, 0xead411e67ebe2eea},
        {0, 15, 0xf30eb725bb91c9ea},
        {0, 63, 0x385d3e39e5f37359},
        {0x0706050403020100, 0, 0xf46d3bfe2ea281dc},
        {0x0706050403020100, 7, 0x3dd20bc6123b60e0},
        {0x0706050403020100, 15, 0x7f501f340ece0c62},
        {0x0706050403020100, 63, 0x9c56dbe0649233f3},
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct siphash_key key = {known[i].k0, 0};

        cr_assert_eq(hash_of_counting(1, 3, key, known[i].n), known[i].hash, "%zu", i);
    }
    cr_assert_eq(siphash13(paper_key, "", 0), 0xabac0158050fc4dc);
}

Test(siphash, hash_bytes_is_stable_in_a_process_and_sees_every_byte)
{
    uint8_t bytes[40] = {0};
    uint64_t plain = hash_bytes(bytes, sizeof bytes);

    cr_assert_eq(hash_bytes(bytes, sizeof bytes), plain);
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = 1;
        cr_assert_neq(hash_bytes(bytes, sizeof bytes), plain);
        bytes[i] = 0;
        cr_assert_neq(hash_bytes(bytes, i), plain, "length %zu", i);
    }
}
