// SPDX-License-Identifier: Apache-2.0
/* Redis URLs. */
#include "kit/cache/url.h"

#include <criterion/criterion.h>

Test(redis_url, has_a_default_port_and_database)
{
    struct redis_url u;

    cr_assert(redis_url_parse(STR("redis://cache"), &u));
    cr_assert_str_eq(u.host, "cache");
    cr_assert_eq(u.port, 6379);
    cr_assert_eq(u.db, 0);
    cr_assert_str_empty(u.user);
    cr_assert_str_empty(u.password);
}

Test(redis_url, takes_every_part)
{
    struct redis_url u;

    cr_assert(redis_url_parse(STR("redis://ann:s%40crt%3A@10.0.0.7:7000/3"), &u));
    cr_assert_str_eq(u.user, "ann");
    cr_assert_str_eq(u.password, "s@crt:");
    cr_assert_str_eq(u.host, "10.0.0.7");
    cr_assert_eq(u.port, 7000);
    cr_assert_eq(u.db, 3);
}

Test(redis_url, takes_a_password_without_a_user)
{
    struct redis_url u;

    cr_assert(redis_url_parse(STR("redis://:p@ss@h/"), &u));
    cr_assert_str_empty(u.user);
    cr_assert_str_eq(u.password, "p@ss");
    cr_assert_str_eq(u.host, "h");
}

Test(redis_url, takes_an_ipv6_address)
{
    struct redis_url u;

    cr_assert(redis_url_parse(STR("redis://[::1]:6380/1"), &u));
    cr_assert_str_eq(u.host, "::1");
    cr_assert_eq(u.port, 6380);
}

Test(redis_url, is_refused_when_it_is_not_of_the_form)
{
    static const char *const bad[] = {
        "",
        "redis:",
        "redis://",
        "http://h",
        "redis://h:",
        "redis://h:0",
        "redis://h:65536",
        "redis://h:x",
        "redis://h/x",
        "redis://h/-1",
        "redis://u@h",
        "redis://a:%4@h",
        "redis://a:%00@h",
        "redis://[::1",
        "redis://[::1]x",
        "redis://:7",
        "redis://[]:7",
    };
    struct redis_url u;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_expect_not(redis_url_parse(str_of(bad[i]), &u), "%s", bad[i]);
}

Test(redis_url, bounds_its_parts)
{
    struct redis_url u;
    char long_host[600] = "redis://";

    memset(long_host + 8, 'h', sizeof long_host - 9);
    cr_assert_not(redis_url_parse(str_of(long_host), &u));
}
