// SPDX-License-Identifier: Apache-2.0
/* Signed list cursors. */
#include "kit/cursor/cursor.h"

#include <sodium.h>

enum { KEY_BYTES = 8, BODY_BYTES = KEY_BYTES + 16, MAC_BYTES = 16 };

static void put_body(uint8_t *out, struct cursor c)
{
    for (int i = 0; i < KEY_BYTES; i++)
        out[i] = (uint8_t)((uint64_t)c.key >> (56 - 8 * i));
    memcpy(out + KEY_BYTES, c.id.b, sizeof c.id.b);
}

static void mac(struct str secret, struct str list, const uint8_t *body, uint8_t *out)
{
    crypto_generichash_state state;
    uint8_t key[crypto_generichash_KEYBYTES];

    /* A secret of any length becomes a key of the right one. */
    crypto_generichash(key, sizeof key, (const uint8_t *)secret.p, secret.n, NULL, 0);
    crypto_generichash_init(&state, key, sizeof key, MAC_BYTES);
    crypto_generichash_update(&state, body, BODY_BYTES);
    crypto_generichash_update(&state, (const uint8_t *)list.p, list.n);
    crypto_generichash_final(&state, out, MAC_BYTES);
}

struct str cursor_encode(struct arena *a, struct str secret, struct str list,
                         struct cursor c)
{
    uint8_t bytes[BODY_BYTES + MAC_BYTES];

    put_body(bytes, c);
    mac(secret, list, bytes, bytes + BODY_BYTES);
    return base64url_encode(a, bytes, sizeof bytes);
}

bool cursor_decode(struct arena *a, struct str secret, struct str list, struct str text,
                   struct cursor *out)
{
    struct str bytes = base64url_decode(a, text);
    uint8_t expected[MAC_BYTES];
    uint64_t key = 0;

    if (bytes.n != BODY_BYTES + MAC_BYTES)
        return false;
    mac(secret, list, (const uint8_t *)bytes.p, expected);
    if (sodium_memcmp(expected, bytes.p + BODY_BYTES, MAC_BYTES) != 0)
        return false;
    for (int i = 0; i < KEY_BYTES; i++)
        key = key << 8 | (uint8_t)bytes.p[i];
    out->key = (int64_t)key;
    memcpy(out->id.b, bytes.p + KEY_BYTES, sizeof out->id.b);
    return true;
}
