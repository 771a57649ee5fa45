// SPDX-License-Identifier: Apache-2.0
/* Whose address a proof names. */
#include "gateway/edge/htu.h"

#include <criterion/criterion.h>

static bool fits(const char *htu, bool tls, const char *host, const char *path)
{
    const struct htu_want want = {tls, str_of(host), str_of(path)};
    struct arena a;
    bool yes;

    arena_init(&a);
    yes = htu_fits(&a, str_of(htu), &want);
    arena_fini(&a);
    return yes;
}

static bool is_orders(const char *htu)
{
    return fits(htu, true, "api.example", "/v1/orders");
}

Test(htu, is_the_address_of_the_request)
{
    cr_expect(is_orders("https://api.example/v1/orders"));
    cr_expect(is_orders("HTTPS://API.Example/v1/orders"));
    cr_expect(is_orders("https://api.example:443/v1/orders"));
    cr_expect(is_orders("https://api.example/v1/./x/../orders"));
    cr_expect(is_orders("https://api.example/v1/%6Frders"));
    cr_expect(is_orders("https://api.example/v1/orders?limit=2#top"));
    cr_expect(fits("https://api.example", true, "api.example:443", "/"));
    cr_expect(fits("https://api.example?x", true, "api.example", "/"));
    cr_expect(fits("http://[::1]:8080/a", false, "[::1]:8080", "/a"));
}

static const char *const others[] = {
    "http://api.example/v1/orders",
    "https://api.example/v1/orders/",
    "https://api.example/v1/Orders",
    "https://api.example:8443/v1/orders",
    "https://api.example:80/v1/orders",
    "https://api.example.evil/v1/orders",
    "https://evil/api.example/v1/orders",
    "https://user@api.example/v1/orders",
    "https:///v1/orders",
    "https:/api.example/v1/orders",
    "https://api.example//v1/orders",
    "https://api.example/v1%2Forders",
    "https://api.example\\v1\\orders",
    "ftp://api.example/v1/orders",
    "//api.example/v1/orders",
    "/v1/orders",
    "https",
    "",
};

Test(htu, is_no_other)
{
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        cr_expect_not(is_orders(others[i]), "%s", others[i]);
}

/* TLS may end at a proxy in front. */
Test(htu, is_either_scheme_where_no_tls_is_seen)
{
    cr_expect(fits("https://api.example/a", false, "api.example", "/a"));
    cr_expect(fits("http://api.example:80/a", false, "api.example", "/a"));
    cr_expect_not(fits("http://api.example/a", true, "api.example", "/a"));
}
