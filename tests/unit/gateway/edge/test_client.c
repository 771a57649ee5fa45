// SPDX-License-Identifier: Apache-2.0
#include "gateway/edge/client.h"

#include <criterion/criterion.h>

static const struct {
    const char *address, *counted;
} cases[] = {
    {"192.0.2.1", "192.0.2.1"},
    {"::ffff:192.0.2.1", "192.0.2.1"},
    {"::ffff:c000:201", "192.0.2.1"},
    {"2001:db8:1:2::1", "20010db800010002"},
    {"2001:db8:1:2:ffff:ffff:ffff:ffff", "20010db800010002"},
    {"2001:db8:1:3::1", "20010db800010003"},
    {"not:an:address", "not:an:address"},
};

Test(client, limits_count_an_ipv6_subscriber_once)
{
    struct arena a;

    arena_init(&a);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct str counted = client_counted(&a, str_of(cases[i].address));

        cr_expect(str_eq(counted, str_of(cases[i].counted)), "%s: %.*s", cases[i].address,
                  STR_FMT(counted));
    }
    arena_fini(&a);
}

/* ---- lists ---- */

static const struct route api_route = {.class = ROUTE_API},
                          admin_route = {.class = ROUTE_ADMIN};

static const struct {
    const char *address;
    const struct route *route;
    bool may;
} visits[] = {
    {"192.0.2.1", NULL, true},
    {"203.0.113.9", NULL, false},
    {"203.0.113.9", &api_route, false},
    {"192.0.2.1", &api_route, true},
    {"198.51.100.1", &api_route, false},
    {"198.51.100.1", &admin_route, false},
    {"10.1.2.3", &admin_route, true},
    {"10.9.9.9", &admin_route, false}, /* allowed and denied */
    {"192.0.2.1", &admin_route, false},
    {"unix", &api_route, false},
};

Test(client, each_class_of_routes_has_lists_of_its_own)
{
    struct client_conf conf = {.field = "forwarded", .deny = "203.0.113.0/24"};
    struct client_rules rules;
    struct arena a;

    arena_init(&a);
    conf.of_class[ROUTE_API].deny = "198.51.100.0/24";
    conf.of_class[ROUTE_ADMIN].allow = "10.0.0.0/8";
    conf.of_class[ROUTE_ADMIN].deny = "10.9.0.0/16";
    cr_assert_null(client_rules_read(&a, &conf, &rules));
    for (size_t i = 0; i < sizeof visits / sizeof *visits; i++)
        cr_expect_eq(client_may(&rules, str_of(visits[i].address), visits[i].route),
                     visits[i].may, "row %zu: %s", i, visits[i].address);
    arena_fini(&a);
}

Test(client, a_bad_list_is_named_by_its_setting)
{
    struct client_conf conf = {.field = "forwarded"};
    struct client_rules rules;
    const struct err *e;
    struct arena a;

    arena_init(&a);
    conf.of_class[ROUTE_SIGN_IN].deny = "10.0.0.0/99";
    e = client_rules_read(&a, &conf, &rules);
    cr_assert_not_null(e);
    cr_expect_not_null(strstr(e->detail.p, "VIADUCT_IP_DENY_SIGN_IN"));
    arena_fini(&a);
}
