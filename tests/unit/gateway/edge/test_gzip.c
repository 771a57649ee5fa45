// SPDX-License-Identifier: Apache-2.0
#include "gateway/edge/gzip.h"

#include <criterion/criterion.h>
#include <zlib.h>

static const struct {
    const char *field;
    bool asked;
} cases[] = {
    {"gzip", true},      {"GZIP", true},           {"br, gzip;q=0.5", true},
    {"*", true},         {"x-gzip", true},         {"identity, *;q=0.1", true},
    {"gzip;q=0", false}, {"gzip; q=0.000", false}, {"*, gzip;q=0", false},
    {"*;q=0", false},    {"br, deflate", false},   {"gzipped", false},
    {"", false},
};

Test(gzip, is_sent_to_those_who_ask)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect_eq(gzip_asked(str_of(cases[i].field)), cases[i].asked, "%s",
                     cases[i].field);
    cr_expect_not(gzip_asked((struct str){NULL, 0}));
}

static void unpack(struct str packed, char *out, size_t n)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)packed.p,
                  .avail_in = (uInt)packed.n,
                  .next_out = (Bytef *)out,
                  .avail_out = (uInt)n};

    cr_assert_eq(inflateInit2(&z, 15 + 16), Z_OK);
    cr_expect_eq(inflate(&z, Z_FINISH), Z_STREAM_END);
    cr_expect_eq(z.total_out, n);
    inflateEnd(&z);
}

Test(gzip, packs_body_after_body)
{
    static char body[GZIP_MAX], again[GZIP_MAX];
    struct gzip *g = gzip_create();
    struct arena a;

    arena_init(&a);
    for (size_t i = 0; i < sizeof body; i++)
        body[i] = (char)('a' + i % 7 + i / 4096 % 5);
    for (int round = 0; round < 2; round++) {
        struct str packed = gzip_pack(g, &a, (struct str){body, sizeof body});

        cr_assert(packed.p && packed.n < sizeof body / 4);
        unpack(packed, again, sizeof again);
        cr_expect_eq(memcmp(body, again, sizeof body), 0);
    }
    arena_fini(&a);
    gzip_destroy(g);
}

Test(gzip, leaves_alone_what_would_not_shrink)
{
    struct gzip *g = gzip_create();
    struct arena a;

    arena_init(&a);
    cr_expect_null(gzip_pack(g, &a, STR("abcdefgh")).p);
    arena_fini(&a);
    gzip_destroy(g);
}
