// SPDX-License-Identifier: Apache-2.0
/* See kit/apikey/apikey.h. */
#include "kit/apikey/apikey.h"

#include "kit/base/id.h"

enum { SECRET_BYTES = 32, CHECK_BYTES = 4, PREFIX_LEN = sizeof APIKEY_PREFIX - 1 };

static void put_check(const char *secret, char *out)
{
    struct sha256 d = sha256((struct str){secret, SECRET_BYTES});

    memcpy(out, d.b, CHECK_BYTES);
}

struct str apikey_new(struct arena *a, struct sha256 *digest)
{
    char raw[SECRET_BYTES + CHECK_BYTES];
    struct str key;

    random_bytes(raw, SECRET_BYTES);
    put_check(raw, raw + SECRET_BYTES);
    key = base64url_encode(a, raw, sizeof raw);
    key = arena_printf(a, APIKEY_PREFIX "%.*s", STR_FMT(key));
    explicit_bzero(raw, sizeof raw);
    *digest = sha256(key);
    return key;
}

bool apikey_digest(struct arena *a, struct str key, struct sha256 *digest)
{
    char check[CHECK_BYTES];
    struct str raw;

    if (key.n != APIKEY_LEN || !apikey_is(key))
        return false;
    raw = base64url_decode(a, (struct str){key.p + PREFIX_LEN, key.n - PREFIX_LEN});
    if (raw.n != SECRET_BYTES + CHECK_BYTES)
        return false;
    put_check(raw.p, check);
    if (memcmp(check, raw.p + SECRET_BYTES, CHECK_BYTES) != 0) /* no secret */
        return false;
    *digest = sha256(key);
    return true;
}
