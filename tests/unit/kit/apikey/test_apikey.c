// SPDX-License-Identifier: Apache-2.0
/* What is made is known again, and nothing else is. */
#include "kit/apikey/apikey.h"
#include "kit/base/id.h"

#include <criterion/criterion.h>

static struct arena arena;

static void setup(void)
{
    arena_init(&arena);
}

static void teardown(void)
{
    arena_fini(&arena);
}

TestSuite(apikey, .init = setup, .fini = teardown);

static const char letters[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static bool is_key(struct str text)
{
    struct sha256 d;

    return apikey_digest(&arena, text, &d);
}

Test(apikey, is_known_again_by_its_digest)
{
    struct sha256 made, read;
    struct str key = apikey_new(&arena, &made);

    cr_assert_eq(key.n, APIKEY_LEN);
    cr_assert(apikey_is(key));
    cr_assert(apikey_digest(&arena, key, &read));
    cr_assert(sha256_eq(&made, &read));
}

Test(apikey, is_never_made_twice)
{
    struct sha256 one, other;

    (void)apikey_new(&arena, &one);
    (void)apikey_new(&arena, &other);
    cr_assert_not(sha256_eq(&one, &other));
}

/* 4 check bytes let one in four thousand million through: these 3,000 are none of them.
 */
Test(apikey, with_any_one_letter_changed_is_a_typo)
{
    struct sha256 d;
    struct str key = apikey_new(&arena, &d);

    for (size_t at = sizeof APIKEY_PREFIX - 1; at < APIKEY_LEN; at++) {
        for (const char *c = letters; *c; c++) {
            struct str copy = arena_str(&arena, key);

            if (key.p[at] == *c)
                continue;
            ((char *)(uintptr_t)copy.p)[at] = *c;
            cr_assert_not(is_key(copy), "%.*s", STR_FMT(copy));
        }
    }
}

Test(apikey, of_another_length_or_alphabet_is_none)
{
    struct sha256 d;
    struct str key = apikey_new(&arena, &d);
    struct str longer = arena_printf(&arena, "%.*sA", STR_FMT(key));
    struct str padded = arena_printf(&arena, "%.*s=", APIKEY_LEN - 1, key.p);
    struct str spaced = arena_printf(&arena, "%.*s ", APIKEY_LEN - 1, key.p);
    struct str other = arena_printf(&arena, "xk_%.*s", APIKEY_LEN - 3, key.p + 3);

    cr_expect_not(is_key((struct str){key.p, key.n - 1}));
    cr_expect_not(is_key((struct str){key.p, 3}));
    cr_expect_not(is_key((struct str){NULL, 0}));
    cr_expect_not(is_key(longer));
    cr_expect_not(is_key(padded));
    cr_expect_not(is_key(spaced));
    cr_expect_not(is_key(other));
    cr_expect_not(apikey_is(other));
}

/* FIPS 180-4, the example "abc". */
Test(digest, is_sha_256)
{
    struct sha256 d = sha256(STR("abc"));
    char hex[64];

    hex_encode(d.b, sizeof d.b, hex);
    cr_assert_eq(
        memcmp(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
               sizeof hex),
        0);
}
