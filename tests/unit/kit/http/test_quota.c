// SPDX-License-Identifier: Apache-2.0
#include "kit/http/quota.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>

static struct http_quota *make(unsigned connections, unsigned of_address, size_t bytes)
{
    const struct http_quota_conf conf = {connections, of_address, bytes};

    return http_quota_create(&conf);
}

static struct http_quota_key four(const char *text)
{
    struct sockaddr_in sa = {.sin_family = AF_INET};

    cr_assert_eq(inet_pton(AF_INET, text, &sa.sin_addr), 1);
    return http_quota_key((const struct sockaddr *)&sa);
}

static struct http_quota_key six(const char *text)
{
    struct sockaddr_in6 sa = {.sin6_family = AF_INET6};

    cr_assert_eq(inet_pton(AF_INET6, text, &sa.sin6_addr), 1);
    return http_quota_key((const struct sockaddr *)&sa);
}

static bool same(struct http_quota_key a, struct http_quota_key b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

Test(quota, an_address_is_one_of_ipv4_or_a_net_of_ipv6)
{
    cr_expect(same(four("192.0.2.1"), six("::ffff:192.0.2.1")));
    cr_expect_not(same(four("192.0.2.1"), four("192.0.2.2")));
    cr_expect_not(same(six("::ffff:192.0.2.1"), six("::ffff:192.0.2.2")));
    cr_expect(same(six("2001:db8:1:2::1"), six("2001:db8:1:2:ffff::9")));
    cr_expect_not(same(six("2001:db8:1:2::1"), six("2001:db8:1:3::1")));
}

Test(quota, an_address_over_its_cap_waits_for_its_own_to_leave)
{
    struct http_quota *q = make(0, 2, 0);
    struct http_quota_key a = four("192.0.2.1"), b = four("192.0.2.2");

    cr_expect_eq(http_quota_enter(q, &a), HTTP_QUOTA_YES);
    cr_expect_eq(http_quota_enter(q, &a), HTTP_QUOTA_YES);
    cr_expect_eq(http_quota_enter(q, &a), HTTP_QUOTA_ADDRESS_FULL);
    cr_expect_eq(http_quota_enter(q, &b), HTTP_QUOTA_YES);
    http_quota_leave(q, &b);
    cr_expect_eq(http_quota_enter(q, &a), HTTP_QUOTA_ADDRESS_FULL);
    http_quota_leave(q, &a);
    cr_expect_eq(http_quota_enter(q, &a), HTTP_QUOTA_YES);
    http_quota_leave(q, &a);
    http_quota_leave(q, &a);
    http_quota_destroy(q);
}

Test(quota, those_without_an_address_count_in_all_only)
{
    struct http_quota *q = make(3, 1, 0);
    struct http_quota_key a = four("192.0.2.1"), b = four("192.0.2.2");

    cr_expect_eq(http_quota_enter(q, NULL), HTTP_QUOTA_YES);
    cr_expect_eq(http_quota_enter(q, NULL), HTTP_QUOTA_YES);
    cr_expect_eq(http_quota_enter(q, &a), HTTP_QUOTA_YES);
    cr_expect_eq(http_quota_enter(q, &b), HTTP_QUOTA_FULL);
    cr_expect_eq(http_quota_enter(q, NULL), HTTP_QUOTA_FULL);
    http_quota_leave(q, NULL);
    cr_expect_eq(http_quota_enter(q, &b), HTTP_QUOTA_YES);
    http_quota_leave(q, NULL);
    http_quota_leave(q, &a);
    http_quota_leave(q, &b);
    http_quota_destroy(q);
}

Test(quota, bytes_that_are_refused_are_not_taken)
{
    struct http_quota *q = make(0, 0, 100);

    cr_expect(http_quota_take_bytes(q, 60));
    cr_expect_not(http_quota_take_bytes(q, 41));
    cr_expect(http_quota_take_bytes(q, 40));
    cr_expect_not(http_quota_take_bytes(q, 1));
    http_quota_give_bytes(q, 40);
    cr_expect(http_quota_take_bytes(q, 1));
    http_quota_destroy(q);
}

Test(quota, zero_is_no_limit_and_limits_may_change)
{
    struct http_quota *q = make(0, 0, 0);
    struct http_quota_key a = four("192.0.2.1");

    for (int i = 0; i < 5000; i++)
        cr_expect_eq(http_quota_enter(q, &a), HTTP_QUOTA_YES);
    cr_expect(http_quota_take_bytes(q, SIZE_MAX / 2));
    http_quota_set(q, &(struct http_quota_conf){0, 10, 10});
    cr_expect_eq(http_quota_enter(q, &a), HTTP_QUOTA_ADDRESS_FULL);
    cr_expect_not(http_quota_take_bytes(q, 1));
    for (int i = 0; i < 5000; i++)
        http_quota_leave(q, &a);
    cr_expect_eq(http_quota_enter(q, &a), HTTP_QUOTA_YES);
    http_quota_leave(q, &a);
    http_quota_destroy(q);
}
