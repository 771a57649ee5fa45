// SPDX-License-Identifier: Apache-2.0
/* UUIDs and the encodings of identifiers. */
#include "kit/base/clock.h"
#include "kit/base/id.h"

#include <criterion/criterion.h>
#include <sys/wait.h>
#include <unistd.h>

static int64_t uuid_ms(struct uuid u)
{
    int64_t ms = 0;

    for (int i = 0; i < 6; i++)
        ms = ms << 8 | u.b[i];
    return ms;
}

Test(id, uuids_are_version_7_of_now)
{
    int64_t before = clock_wall_us() / 1000;
    struct uuid u = uuid_new();
    int64_t after = clock_wall_us() / 1000;

    cr_assert_eq(u.b[6] >> 4, 7);
    cr_assert_eq(u.b[8] >> 6, 2);
    cr_assert(uuid_ms(u) >= before && uuid_ms(u) <= after + 1);
    cr_assert_not(uuid_is_nil(u));
}

Test(id, uuids_of_a_thread_sort_as_they_were_made)
{
    struct uuid last = uuid_new();

    for (int i = 0; i < 200000; i++) {
        struct uuid u = uuid_new();

        cr_assert_gt(memcmp(u.b, last.b, 8), 0, "time bits of %d", i);
        cr_assert_neq(memcmp(u.b + 8, last.b + 8, 8), 0, "random bits of %d", i);
        last = u;
    }
}

/* The random bits are drawn ahead: a child must not use those of its parent. */
Test(id, a_forked_child_makes_other_uuids)
{
    struct uuid mine, childs;
    int ends[2];
    pid_t pid;

    uuid_new();
    cr_assert_eq(pipe(ends), 0);
    pid = fork();
    if (pid == 0) {
        childs = uuid_new();
        _exit(write(ends[1], &childs, sizeof childs) != sizeof childs);
    }
    mine = uuid_new();
    cr_assert_eq(read(ends[0], &childs, sizeof childs), (ssize_t)sizeof childs);
    waitpid(pid, NULL, 0);
    cr_assert_neq(memcmp(mine.b + 8, childs.b + 8, 8), 0);
}

Test(id, uuid_text_goes_there_and_back)
{
    static const char text[] = "0190163d-8694-739b-aea5-966c26f8ad91";
    struct arena a;
    struct uuid u;

    arena_init(&a);
    cr_assert(uuid_parse(STR("0190163D-8694-739B-AEA5-966C26F8AD91"), &u));
    cr_assert_eq(u.b[0], 0x01);
    cr_assert_eq(u.b[15], 0x91);
    cr_assert(str_eq(uuid_str(&a, u), str_of(text)));
    arena_fini(&a);
}

Test(id, uuid_text_of_another_shape_is_refused)
{
    static const char *const bad[] = {"",
                                      "0190163d8694739baea5966c26f8ad91",
                                      "0190163d-8694-739b-aea5-966c26f8ad9",
                                      "0190163d-8694-739b-aea5-966c26f8ad911",
                                      "0190163g-8694-739b-aea5-966c26f8ad91",
                                      "0190163d-8694-739b-aea5 966c26f8ad91",
                                      "0190163d8-694-739b-aea5-966c26f8ad91",
                                      "{190163d-8694-739b-aea5-966c26f8ad9}"};
    struct uuid u = {{1}};

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert_not(uuid_parse(str_of(bad[i]), &u), "%s", bad[i]);
    cr_assert_eq(u.b[0], 1);
}

Test(id, hex_goes_there_and_back)
{
    uint8_t bytes[256], back[256];
    char text[512];

    for (int i = 0; i < 256; i++)
        bytes[i] = (uint8_t)i;
    hex_encode(bytes, sizeof bytes, text);
    cr_assert(str_eq((struct str){text + 20, 4}, STR("0a0b")));
    cr_assert(hex_decode((struct str){text, sizeof text}, back, sizeof back));
    cr_assert_arr_eq(bytes, back, sizeof bytes);
    cr_assert(hex_decode(STR("fF"), back, 1));
    cr_assert_eq(back[0], 0xFF);
    cr_assert_not(hex_decode(STR("f"), back, 1));
    cr_assert_not(hex_decode(STR("ff0"), back, 1));
    cr_assert_not(hex_decode(STR("/0"), back, 1));
    cr_assert_not(hex_decode(STR("0:"), back, 1));
    cr_assert_not(hex_decode(STR("@`"), back, 1));
}

Test(id, hex_of_any_length_ends_where_it_should)
{
    static const uint8_t bytes[9] = {0x00, 0x9a, 0xff, 0x10, 0xa9,
                                     0x0f, 0xf0, 0x5c, 0xc5};
    static const char digits[] = "009aff10a90ff05cc5";

    for (size_t n = 0; n <= sizeof bytes; n++) {
        char text[sizeof digits] = "??????????????????";

        hex_encode(bytes, n, text);
        cr_assert_arr_eq(text, digits, 2 * n);
        cr_assert_eq(text[2 * n], n < sizeof bytes ? '?' : '\0');
    }
}

/* RFC 4648 section 10, padding left off. */
Test(id, base64url_has_the_vectors_of_its_rfc)
{
    static const char *const pairs[][2] = {{"", ""},
                                           {"f", "Zg"},
                                           {"fo", "Zm8"},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg"},
                                           {"fooba", "Zm9vYmE"},
                                           {"foobar", "Zm9vYmFy"},
                                           {"\xFB\xFF", "-_8"}};
    struct arena a;

    arena_init(&a);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct str plain = str_of(pairs[i][0]), text = str_of(pairs[i][1]);
        struct str back = base64url_decode(&a, text);

        cr_assert(str_eq(base64url_encode(&a, plain.p, plain.n), text), "%s", text.p);
        cr_assert(back.p && str_eq(back, plain), "%s", text.p);
    }
    arena_fini(&a);
}

Test(id, base64url_takes_only_what_it_makes)
{
    static const char *const bad[] = {
        "A", "AAAAA", "Zg==", "Zh", "Zm9=", "Zm+v", "Zm/v", "Zm 9v", "Zm9", "Zm9v\n"};
    struct arena a;

    arena_init(&a);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert_null(base64url_decode(&a, str_of(bad[i])).p, "%s", bad[i]);
    cr_assert_null(base64url_decode(&a, (struct str){NULL, 0}).p);
    arena_fini(&a);
}

Test(id, random_bytes_fill_the_whole_and_differ)
{
    static uint8_t first[100000], second[100000];
    unsigned zeros = 0;

    random_bytes(first, sizeof first);
    random_bytes(second, sizeof second);
    for (size_t i = 0; i < sizeof first; i++)
        zeros += first[i] == 0;
    cr_assert(zeros > 200 && zeros < 600, "%u of 100000 bytes are zero", zeros);
    cr_assert_neq(memcmp(first, second, sizeof first), 0);
}

Test(id, random_numbers_use_all_bits)
{
    uint32_t ones = 0, zeros = 0;

    for (int i = 0; i < 200; i++) {
        uint32_t r = random_u32();

        ones |= r;
        zeros |= ~r;
    }
    cr_assert_eq(ones, UINT32_MAX);
    cr_assert_eq(zeros, UINT32_MAX);
}
