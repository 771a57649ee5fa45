// SPDX-License-Identifier: Apache-2.0
/* SHA-256 (FIPS 180-4) by OpenSSL, and comparing in a time that tells nothing. Any
 * thread. */
#ifndef KIT_DIGEST_DIGEST_H
#define KIT_DIGEST_DIGEST_H

#include "kit/base/str.h"

struct sha256 {
    uint8_t b[32];
};

struct sha256 sha256(struct str text);
/* In a time that does not depend on where they differ. */
bool sha256_eq(const struct sha256 *a, const struct sha256 *b);

static inline struct str sha256_view(const struct sha256 *d)
{
    return (struct str){(const char *)d->b, sizeof d->b};
}

#endif
