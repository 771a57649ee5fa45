// SPDX-License-Identifier: Apache-2.0
/* A gateway process behind proxies that write Forwarded (RFC 7239): who the client is
 * cannot be chosen by what it made them write. Its Host is among that. */
#include "front.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define GOOD "198.51.100.1"
#define BAD  "203.0.113.9" /* denied */

static int status_of(const char *fields)
{
    struct client c = {0};
    char text[1024];
    int n = 0;

    (void)snprintf(text, sizeof text, "GET /v1/nothing HTTP/1.1\r\nHost: a\r\n%s\r\n\r\n",
                   fields);
    if (open_client(&c, plain_port) && ask(&c, text))
        (void)sscanf(c.answer, "HTTP/1.1 %d ", &n); /* NOLINT(cert-err34-c) */
    close_client(&c);
    return n;
}

static bool serves(void *arg)
{
    (void)arg;
    return status_of("X: y") == 404;
}

static void start(void)
{
    static const char *const settings[] = {
        "VIADUCT_TRUSTED_PROXIES=127.0.0.0/8,10.0.0.0/8",
        "VIADUCT_PROXY_FIELD=forwarded",
        "VIADUCT_IP_DENY=203.0.113.0/24,2001:db8::/32",
        "VIADUCT_LIMIT_IP=0",
        "VIADUCT_LOOPS=1",
        NULL,
    };

    front_start(settings, serves);
}

TestSuite(forwarded, .init = start, .fini = front_stop, .timeout = 120);

static const struct {
    const char *fields;
    bool denied;
} cases[] = {
    {"Forwarded: for=" GOOD, false},
    {"Forwarded: for=" BAD, true},
    {"Forwarded: For=" BAD "; Proto=https", true},
    {"Forwarded: proto=https;by=192.0.2.1;for=" BAD, true},
    {"Forwarded: for=\"" BAD ":4711\"", true},
    {"Forwarded: for=\"[2001:db8::7]:4711\"", true},
    {"Forwarded: for=" BAD ", for=" GOOD, false}, /* anybody can write the left */
    {"Forwarded: for=" GOOD ", for=" BAD, true},
    {"Forwarded: for=" BAD ", for=10.1.2.3", true},
    {"Forwarded: for=" GOOD "\r\nForwarded: for=" BAD, true},
    {"Forwarded: for=unknown", false},
    {"Forwarded:", false},
    {"X-Forwarded-For: " BAD, false}, /* not the field that was set */
    /* the client's own words in what a proxy wrote */
    {"Forwarded: host=\"a;for=" GOOD "\";for=" BAD, true},
    {"Forwarded: host=\"a, for=" GOOD "\";for=" BAD, true},
    {"Forwarded: for=" BAD ";host=\"a;for=" GOOD "\"", true},
    {"Forwarded: for=" BAD ";host=\"a\\\", for=" GOOD ", \\\"\"", true},
    {"Forwarded: for=" BAD ";host=\"a\\\\\"", true},
    {"Forwarded: for=\", for=" BAD, true},
    /* two: it is the proxy itself, which is not denied, and no one else's address */
    {"Forwarded: host=a;for=" BAD ";for=" GOOD, false},
    {"Forwarded: host=a;for=" GOOD ";for=" BAD, false},
};

Test(forwarded, the_client_is_who_the_trusted_proxies_say)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect_eq(status_of(cases[i].fields), cases[i].denied ? 403 : 404, "%s",
                     cases[i].fields);
}
