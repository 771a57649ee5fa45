// SPDX-License-Identifier: Apache-2.0
/* A gateway process behind a proxy that speaks the PROXY protocol, version 2. */
#include "front.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Of version 2: signature, PROXY over TCP4, 12 bytes; source, destination, ports. */
#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
enum { HEADER = 28, SOURCE_AT = 16, LIMIT = 3 };

static const char *header_of(const char *client)
{
    static char bytes[HEADER + 1];

    memcpy(bytes, SIGNATURE "\x21\x11\0\x0c\0\0\0\0\x0a\0\0\x01\x30\x39\x01\xbb", HEADER);
    cr_assert_eq(inet_pton(AF_INET, client, bytes + SOURCE_AT), 1);
    return bytes;
}

/* As the trusted proxy, for that client. */
static bool open_for(struct client *c, int port, const char *client)
{
    c->from = "127.0.0.2";
    return open_client_behind(c, port, header_of(client), HEADER);
}

static int status(const struct client *c)
{
    int n = 0;

    (void)sscanf(c->answer, "HTTP/1.1 %d ", &n); /* NOLINT(cert-err34-c) */
    return n;
}

/* Of one request on a connection of its own; 0: none came. */
static int answer_for(int port, const char *client, const char *request)
{
    struct client c = {0};
    int n = open_for(&c, port, client) && ask(&c, request) ? status(&c) : 0;

    close_client(&c);
    return n;
}

static bool serves(void *arg)
{
    (void)arg;
    return answer_for(plain_port, "192.0.2.99", GET) == 404;
}

static void start(void)
{
    static const char *const settings[] = {
        "VIADUCT_PROXY_PROTOCOL=true",
        "VIADUCT_TRUSTED_PROXIES=127.0.0.2/32",
        "VIADUCT_IP_DENY=203.0.113.0/24",
        "VIADUCT_LIMIT_IP=3",
        "VIADUCT_LIMIT_IP_WINDOW_S=3600",
        "VIADUCT_LOOPS=1",
        NULL,
    };

    front_start(settings, serves);
}

TestSuite(proxied, .init = start, .fini = front_stop, .timeout = 120);

Test(proxied, limits_count_the_client_and_not_the_proxy)
{
    for (int i = 0; i < LIMIT; i++)
        cr_expect_eq(answer_for(i % 2 ? tls_port : plain_port, "192.0.2.1", GET), 404);
    cr_expect_eq(answer_for(plain_port, "192.0.2.1", GET), 429);
    cr_expect_eq(answer_for(tls_port, "192.0.2.1", GET), 429);
    cr_expect_eq(answer_for(plain_port, "192.0.2.2", GET), 404);
    cr_expect_eq(answer_for(tls_port, "192.0.2.2", GET), 404);
}

Test(proxied, lists_are_asked_for_the_client)
{
    static const char claims[] = "GET /v1/nothing HTTP/1.1\r\nHost: a\r\n"
                                 "X-Forwarded-For: 192.0.2.3\r\n\r\n";

    cr_expect_eq(answer_for(plain_port, "203.0.113.9", GET), 403);
    cr_expect_eq(answer_for(tls_port, "203.0.113.9", GET), 403);
    cr_expect_eq(answer_for(plain_port, "203.0.113.9", claims), 403, "it is no proxy");
    cr_expect_eq(answer_for(plain_port, "192.0.2.3", GET), 404);
}

Test(proxied, a_connection_keeps_its_client)
{
    struct client c = {0};

    cr_assert(open_for(&c, tls_port, "192.0.2.4"));
    for (int i = 0; i < LIMIT; i++)
        cr_expect(ask(&c, GET) && status(&c) == 404, "%s", c.answer);
    cr_expect(ask(&c, GET) && status(&c) == 429, "%s", c.answer);
    close_client(&c);
}

/* ---- what is not right ---- */

#define BYTES(literal) {literal, sizeof(literal) - 1}

static const struct {
    const char *bytes;
    size_t n;
} bad[] = {
    BYTES("GET /v1/nothing HTTP/1.1\r\nHost: a\r\n\r\n"),
    BYTES("PROXY TCP4 192.0.2.1 10.0.0.1 1 2\r\n"),
    BYTES(SIGNATURE "\x31\x11\0\x0c"), /* version 3 */
    BYTES(SIGNATURE "\x22\x11\0\x0c"), /* no such command */
    BYTES(SIGNATURE "\x21\x11\0\x01"), /* too short for its family */
    BYTES(SIGNATURE "\x21\x11\xff\xff"),
    BYTES("\r\n\r\n\0\r\nQUIX"),
};

Test(proxied, without_a_good_header_the_proxy_is_not_served)
{
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct client c = {.from = "127.0.0.2"};
        char byte;

        cr_assert(open_client_behind(&c, plain_port, bad[i].bytes, bad[i].n));
        cr_expect_leq(recv(c.fd, &byte, 1, 0), 0, "case %zu: nothing is said", i);
        cr_expect(is_closed(&c), "case %zu", i);
        close_client(&c);
        cr_expect(serves(NULL) || answer_for(plain_port, "192.0.2.99", GET) == 429);
    }
}

Test(proxied, the_header_of_anybody_else_is_no_request)
{
    struct client c = {.from = "127.0.0.3"};
    char byte;

    cr_assert(open_client_behind(&c, plain_port, header_of("192.0.2.5"), HEADER));
    cr_expect(ask(&c, GET) && status(&c) == 400, "%s", c.answer);
    while (recv(c.fd, &byte, 1, 0) == 1)
        ;
    cr_expect(is_closed(&c));
    close_client(&c);
    c = (struct client){.from = "127.0.0.3"};
    cr_expect(!open_client_behind(&c, tls_port, header_of("192.0.2.5"), HEADER));
    close_client(&c);
    /* as itself, it is served */
    cr_expect(open_client(&c, plain_port) && ask(&c, GET) && status(&c) == 404, "%s",
              c.answer);
    close_client(&c);
}
