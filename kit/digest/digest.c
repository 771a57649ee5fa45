// SPDX-License-Identifier: Apache-2.0
/* See kit/digest/digest.h. */
#include "kit/digest/digest.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

struct sha256 sha256(struct str text)
{
    struct sha256 d;

    SHA256((const uint8_t *)text.p, text.n, d.b);
    return d;
}

bool sha256_eq(const struct sha256 *a, const struct sha256 *b)
{
    return CRYPTO_memcmp(a->b, b->b, sizeof a->b) == 0;
}
