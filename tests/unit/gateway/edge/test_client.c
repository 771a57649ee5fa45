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
