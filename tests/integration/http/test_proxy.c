// SPDX-License-Identifier: Apache-2.0
/* The PROXY protocol in front of requests, and of TLS. */
#include "harness.h"
#include "tls.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

#define HOST      "Host: a\r\n"
#define REQUEST   "GET /echo HTTP/1.1\r\n" HOST "\r\n"
#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define FOUR      SIGNATURE "\x21\x11\0\x0c\xc0\x00\x02\x01\x0a\x00\x00\x01\x30\x39\x01\xbb"
#define OTHER     SIGNATURE "\x21\x11\0\x0c\xc0\x00\x02\x02\x0a\x00\x00\x01\x30\x39\x01\xbb"
#define SIX                                                                        \
    SIGNATURE "\x21\x21\0\x27\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07\0\0\0\0\0" \
              "\0\0\0\0\0\0\0\0\0\0\x01\x30\x39\x01\xbb\x04\0\0"
#define LOCAL SIGNATURE "\x20\0\0\0"

static bool everybody(void *arg, struct str ip)
{
    (void)arg;
    (void)ip;
    return true;
}

static bool nobody(void *arg, struct str ip)
{
    (void)arg;
    (void)ip;
    return false;
}

static void start_with(struct harness *h, struct http_conf conf)
{
    conf.proxy_header = true;
    conf.trusted_peer = conf.trusted_peer ? conf.trusted_peer : everybody;
    harness_start(h, conf);
}

static void start(struct harness *h)
{
    start_with(h, (struct http_conf){0});
}

static int connect_plain(const struct harness *h)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    cr_assert(fd >= 0);
    cr_assert(client_connect_with(h, fd));
    return fd;
}

/* What follows the header goes through TLS, where that is tested. */
static int connect_behind(const struct harness *h, struct str header, bool slowly)
{
    int fd = connect_plain(h);

    (slowly ? client_send_slowly : client_send)(fd, header);
    return h->tls ? tls_wrap(fd) : fd;
}

static bool is_served_as(int fd, const char *client)
{
    char answer[4096], line[64];

    snprintf(line, sizeof line, "X-Client: %s\r\n", client);
    client_send(fd, STR(REQUEST));
    client_read(fd, answer, sizeof answer, "GET /echo  ");
    return strstr(answer, line) != NULL;
}

static const struct {
    struct str header;
    const char *client;
} cases[] = {
    {{FOUR, sizeof FOUR - 1}, "192.0.2.1"},
    {{SIX, sizeof SIX - 1}, "2001:db8::7"},
    {{LOCAL, sizeof LOCAL - 1}, "127.0.0.1"},
};

Test(proxy, says_who_the_client_is)
{
    struct harness h;

    start(&h);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int slowly = 0; slowly < 2; slowly++) {
            int fd = connect_behind(&h, cases[i].header, slowly);

            cr_expect(is_served_as(fd, cases[i].client), "%s", cases[i].client);
            cr_expect(is_served_as(fd, cases[i].client), "%s, again", cases[i].client);
            close(fd);
        }
    harness_stop(&h);
}

Test(proxy, header_and_request_may_come_together)
{
    struct harness h;
    char answer[4096];
    int fd;

    start(&h);
    if (!h.tls) {
        fd = connect_plain(&h);
        client_send(fd, STR(FOUR REQUEST));
        client_read(fd, answer, sizeof answer, "GET /echo  ");
        cr_expect_not_null(strstr(answer, "X-Client: 192.0.2.1\r\n"));
        close(fd);
    }
    harness_stop(&h);
}

#define BYTES(literal) {literal, sizeof(literal) - 1}

static const struct str bad[] = {
    BYTES(REQUEST),
    BYTES("PROXY TCP4 192.0.2.1 10.0.0.1 1 2\r\n" REQUEST),
    BYTES(SIGNATURE "\x31\x11\0\x0c"),
    BYTES(SIGNATURE "\x21\x11\0\x01"),
    BYTES(SIGNATURE "\x21\x11\xff\xff"),
    BYTES(SIGNATURE "\x21\0\0\x07\x03\0\x04xxxx" REQUEST),
};

Test(proxy, without_a_good_header_nothing_is_served_nor_said)
{
    struct harness h;
    char answer[256];

    start(&h);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        for (int slowly = 0; slowly < 2; slowly++) {
            int fd = connect_plain(&h);

            (slowly ? client_send_slowly : client_send)(fd, bad[i]);
            cr_expect_eq(client_read_all(fd, answer, sizeof answer), 0, "case %zu", i);
            close(fd);
        }
    cr_expect_eq(h.requests, 0);
    harness_stop(&h);
}

Test(proxy, a_header_that_does_not_come_is_not_waited_for_for_ever)
{
    struct harness h;
    int fd, half;

    start_with(&h, (struct http_conf){.handshake_ms = 100});
    fd = connect_plain(&h);
    half = connect_plain(&h);
    client_send(half, (struct str){FOUR, 20});
    cr_expect(client_is_closed(fd));
    cr_expect(client_is_closed(half));
    close(fd);
    close(half);
    harness_stop(&h);
}

Test(proxy, who_looks_and_goes_leaves_nothing_behind)
{
    struct harness h;
    int fd;

    start(&h);
    for (int i = 0; i < 100; i++) {
        fd = connect_plain(&h);
        client_send(fd, (struct str){FOUR, (size_t)i % 28});
        close(fd);
    }
    fd = connect_behind(&h, STR(FOUR), false);
    cr_expect(is_served_as(fd, "192.0.2.1"));
    close(fd);
    harness_stop(&h);
}

Test(proxy, others_are_served_as_they_are)
{
    struct harness h;
    char answer[4096];
    int fd;

    start_with(&h, (struct http_conf){.trusted_peer = nobody});
    fd = client_connect(&h);
    cr_expect(is_served_as(fd, "127.0.0.1"));
    close(fd);
    fd = client_connect(&h);
    client_send(fd, STR(FOUR REQUEST)); /* not a request, then */
    client_read_all(fd, answer, sizeof answer);
    cr_expect(strstr(answer, "HTTP/1.1 400 ") == answer, "%s", answer);
    cr_expect_null(strstr(answer, "192.0.2.1"));
    close(fd);
    harness_stop(&h);
}

Test(proxy, the_cap_of_an_address_is_that_of_the_client)
{
    const struct http_quota_conf shares = {.connections_of_address = 1};
    struct http_quota *q = http_quota_create(&shares);
    struct harness h;
    int one, second, other;

    start_with(&h, (struct http_conf){.quota = q});
    one = connect_behind(&h, STR(FOUR), false);
    cr_expect(is_served_as(one, "192.0.2.1"));
    second = connect_behind(&h, STR(FOUR), false);
    cr_expect(client_is_closed(second));
    other = connect_behind(&h, STR(OTHER), false);
    cr_expect(is_served_as(other, "192.0.2.2"));
    close(one);
    close(second);
    close(other);
    harness_stop(&h);
    http_quota_destroy(q);
}

static void drain(struct harness *h)
{
    http_server_drain(h->server);
}

Test(proxy, a_server_that_drains_waits_no_longer_for_headers_than_for_requests)
{
    struct harness h;
    int fd, served;

    start_with(&h, (struct http_conf){.drain_idle_ms = 50});
    fd = connect_plain(&h);
    served = connect_behind(&h, STR(FOUR), false);
    cr_expect(is_served_as(served, "192.0.2.1")); /* so the first has arrived */
    harness_in_loop(&h, drain);
    cr_expect(client_is_closed(fd));
    close(fd);
    close(served);
    harness_stop(&h);
}
