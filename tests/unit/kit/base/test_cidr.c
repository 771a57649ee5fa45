// SPDX-License-Identifier: Apache-2.0
#include "kit/base/cidr.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>

static struct arena a;

static bool list_has(const char *list, const char *address)
{
    struct cidr_list l;
    struct ip ip;

    cr_assert_null(cidr_list_parse(&a, list, &l), "%s", list);
    cr_assert(ip_parse(str_of(address), &ip), "%s", address);
    return cidr_list_has(&l, &ip);
}

static void fini(void)
{
    arena_fini(&a);
}

TestSuite(cidr, .fini = fini);

static const struct {
    const char *list, *address;
    bool in;
} cases[] = {
    {"10.0.0.0/8", "10.255.0.1", true},
    {"10.0.0.0/8", "11.0.0.1", false},
    {"10.0.0.0/8", "::ffff:10.1.2.3", true},
    {"192.0.2.128/25", "192.0.2.127", false},
    {"192.0.2.128/25", "192.0.2.129", true},
    {"192.0.2.1", "192.0.2.1", true},
    {"192.0.2.1", "192.0.2.2", false},
    {"0.0.0.0/0", "203.0.113.9", true},
    {"0.0.0.0/0", "2001:db8::1", false},
    {"::/0", "203.0.113.9", true},
    {"2001:db8::/33", "2001:db8:7fff::1", true},
    {"2001:db8::/33", "2001:db8:8000::1", false},
    {" 10.0.0.0/8 ,2001:db8::/32, ::1 ", "::1", true},
    {"", "10.0.0.1", false},
    {NULL, "10.0.0.1", false},
};

Test(cidr, a_list_has_the_addresses_of_its_networks)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect_eq(list_has(cases[i].list, cases[i].address), cases[i].in, "%s in %s",
                     cases[i].address, cases[i].list);
}

Test(cidr, what_is_no_network_is_named)
{
    static const char *const bad[] = {"10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/-1",
                                      "10/8",       "10.0.0.0/",   "::/129",
                                      "a",          "1.2.3.4,",    "fe80::1%eth0/64",
                                      "1.2.3.4/8x"};
    struct cidr_list l;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const struct err *e = cidr_list_parse(&a, bad[i], &l);

        cr_expect_not_null(e, "%s", bad[i]);
    }
    cr_expect(strstr(cidr_list_parse(&a, "10.0.0.0/8, x/9", &l)->detail.p, "\"x/9\""));
}

Test(cidr, an_address_is_nothing_more)
{
    static const char *const bad[] = {"",
                                      "1.2.3",
                                      "1.2.3.4:5",
                                      "[::1]",
                                      "1.2.3.4 ",
                                      "0x1.2.3.4",
                                      "2001:db8:0000:0000:0000:0000:0000:0000:0001:1:1"};
    struct ip ip;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_expect_not(ip_parse(str_of(bad[i]), &ip), "%s", bad[i]);
    cr_expect_not(ip_parse((struct str){"1.2.3.4\0", 8}, &ip));
}

/* One way of writing each IPv4 address, as inet_pton() reads them. */
Test(cidr, addresses_are_read_as_inet_pton_does)
{
    static const char *const texts[] = {
        "0.0.0.0",    "255.255.255.255", "127.0.0.1", "1.20.200.9",
        "256.0.0.1",  "01.2.3.4",        "1.2.3.04",  "00.0.0.0",
        "1.2.3.4.5",  "1..2.3",          "1.2.3.",    ".1.2.3.4",
        "1.2.3.1000", "1.2.3.-4",        "1.2.3.+4",  "1.2.3.a",
        "....",       "1.2.3.4.",        "a"};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        unsigned char expected[4];
        struct ip ip;
        bool good = inet_pton(AF_INET, texts[i], expected) == 1;

        cr_expect_eq(ip_parse(str_of(texts[i]), &ip), good, "%s", texts[i]);
        if (good)
            cr_expect_arr_eq(ip.bytes + 12, expected, 4, "%s", texts[i]);
    }
}
