// SPDX-License-Identifier: Apache-2.0
/*
 * What an API key looks like: "vk_" and 48 letters of base64url, which are 32 random
 * bytes and 4 check bytes (the first of the SHA-256 of the random ones). The prefix lets
 * people and secret scanners know one when they see it; the check bytes let a gateway
 * refuse what is mistyped or made up without asking anybody. They are no secret and
 * protect nothing.
 *
 * Stored and looked up is the SHA-256 of the whole text. A slow hash as for passwords
 * would add nothing: it makes guessing dear where few guesses are enough, and nobody
 * guesses one of 2^256. For the same reason an index may compare the hashes in whatever
 * time it takes: who does not know the key cannot choose its hash. Any thread.
 */
#ifndef KIT_APIKEY_APIKEY_H
#define KIT_APIKEY_APIKEY_H

#include "kit/base/arena.h"
#include "kit/digest/digest.h"

#define APIKEY_PREFIX "vk_"
/* APIKEY_START_LEN: what may be shown later, so that people tell their keys apart. */
enum { APIKEY_LEN = 51, APIKEY_START_LEN = 7 };

/* Meant as an API key, good or not. */
static inline bool apikey_is(struct str token)
{
    return str_starts(token, STR(APIKEY_PREFIX));
}

/* A new one in the arena, and its digest. */
struct str apikey_new(struct arena *a, struct sha256 *digest);

/* False for what was never made by apikey_new(). */
bool apikey_digest(struct arena *a, struct str key, struct sha256 *digest);

#endif
