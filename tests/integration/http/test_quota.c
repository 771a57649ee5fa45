// SPDX-License-Identifier: Apache-2.0
/* What all servers of a process share: connections, of one address too, and the bytes of
 * bodies. */
#include "harness.h"
#include "kit/obs/metrics.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define HOST "Host: a\r\n"

static struct http_quota *begin(struct harness *h, unsigned connections,
                                unsigned of_address, size_t body_bytes)
{
    const struct http_quota_conf shares = {connections, of_address, body_bytes};
    struct http_quota *q = http_quota_create(&shares);

    harness_start(h, (struct http_conf){.quota = q});
    return q;
}

static void end(struct harness *h, struct http_quota *q)
{
    harness_stop(h);
    http_quota_destroy(q);
}

static bool echoes(int fd)
{
    char answer[4096];

    client_send(fd, STR("GET /echo HTTP/1.1\r\n" HOST "\r\n"));
    client_read(fd, answer, sizeof answer, "GET /echo  ");
    return strstr(answer, "GET /echo  ") != NULL;
}

static bool may_enter(const struct harness *h)
{
    int fd = client_connect(h);
    bool entered = echoes(fd);

    close(fd);
    return entered;
}

/* Once whoever has gone is known to be gone. */
static bool enters_soon(const struct harness *h)
{
    bool entered = false;

    for (int left = 2000; left > 0 && !entered; left--) {
        entered = may_enter(h);
        usleep(5000);
    }
    return entered;
}

static int64_t refused(const char *why)
{
    return metric_value(metrics_counter("viaduct_http_connections_refused_total", "",
                                        "reason", why, NULL));
}

static void expect_cap(unsigned connections, unsigned of_address, const char *why)
{
    struct harness h;
    struct http_quota *q = begin(&h, connections, of_address, 0);
    int fds[3];

    for (int i = 0; i < 3; i++)
        fds[i] = client_connect(&h);
    cr_expect(echoes(fds[0]));
    cr_expect(echoes(fds[1]));
    cr_expect(client_is_closed(fds[2]));
    cr_expect_not(may_enter(&h));
    cr_expect_eq(refused(why), 2);
    close(fds[0]);
    cr_expect(enters_soon(&h));
    cr_expect(echoes(fds[1]));
    close(fds[1]);
    close(fds[2]);
    end(&h, q);
}

Test(quota, connections_above_the_cap_of_an_address_are_closed_at_once)
{
    expect_cap(0, 2, "address");
}

Test(quota, connections_above_the_cap_of_all_are_closed_at_once)
{
    expect_cap(2, 0, "total");
}

static bool trust(void *arg, struct str ip)
{
    (void)arg;
    return str_eq(ip, STR("127.0.0.1"));
}

Test(quota, a_trusted_peer_has_no_cap_of_its_own)
{
    const struct http_quota_conf shares = {.connections_of_address = 1};
    struct http_quota *q = http_quota_create(&shares);
    struct harness h;
    int fds[3];

    harness_start(&h, (struct http_conf){.quota = q, .trusted_peer = trust});
    for (int i = 0; i < 3; i++) {
        fds[i] = client_connect(&h);
        cr_expect(echoes(fds[i]));
    }
    for (int i = 0; i < 3; i++)
        close(fds[i]);
    end(&h, q);
}

/* ---- two listeners ---- */

static struct http_server *second;

static void answer(void *arg, struct http_req *r)
{
    (void)arg;
    http_reply(r, 200, "text/plain", NULL, 0, STR("GET /echo  "));
}

static void listen_again(struct harness *h)
{
    const struct http_conf plain = {.listen = "127.0.0.1:0",
                                    .max_connections = 10,
                                    .max_head_bytes = 1000,
                                    .max_body_bytes = 1000,
                                    .idle_ms = 30000,
                                    .request_ms = 30000,
                                    .quota = h->quota};
    struct arena a;

    arena_init(&a);
    cr_assert_null(http_server_create(&a, harness_loop(), &plain, answer, NULL, &second));
    arena_fini(&a);
}

static void close_second(struct harness *h)
{
    (void)h;
    http_server_destroy(second);
}

Test(quota, two_listeners_share_it)
{
    struct harness h, plain;
    struct http_quota *q = begin(&h, 0, 2, 0);
    int here, there;

    harness_in_loop(&h, listen_again);
    plain = (struct harness){.port = http_server_port(second)};
    here = client_connect(&h);
    there = client_connect(&plain);
    cr_expect(echoes(here));
    cr_expect(echoes(there));
    cr_expect_not(may_enter(&h));
    cr_expect_not(may_enter(&plain));
    close(here);
    cr_expect(enters_soon(&plain));
    cr_expect(enters_soon(&h));
    close(there);
    harness_in_loop(&h, close_second);
    end(&h, q);
}

/* ---- bodies ---- */

enum { BUDGET = 1000 };

/* A request with `declared` bytes of a body, of which `sent` are sent. */
static int post(const struct harness *h, const char *path, int declared, int sent)
{
    int fd = client_connect(h);
    char text[2048];
    int n = snprintf(text, sizeof text,
                     "POST %s HTTP/1.1\r\n" HOST "Content-Length: %d\r\n\r\n%0*d", path,
                     declared, sent, 0);

    client_send(fd, (struct str){text, (size_t)n});
    return fd;
}

static int post_chunked(const struct harness *h, int bytes)
{
    int fd = client_connect(h);
    char text[2048];
    int n = snprintf(text, sizeof text,
                     "POST /echo HTTP/1.1\r\n" HOST
                     "Transfer-Encoding: chunked\r\n\r\n%x\r\n%0*d\r\n0\r\n\r\n",
                     (unsigned)bytes, bytes, 0);

    client_send(fd, (struct str){text, (size_t)n});
    return fd;
}

static void expect_served(int fd)
{
    char text[4096];

    client_read(fd, text, sizeof text, "POST /echo  0");
    cr_expect_not_null(strstr(text, " 200 OK\r\n"));
    close(fd);
}

static void expect_refused(int fd)
{
    char text[4096];

    client_read_all(fd, text, sizeof text);
    cr_expect_not_null(strstr(text, "HTTP/1.1 503 "));
    cr_expect_not_null(strstr(text, "\r\nRetry-After: 1\r\n"));
    cr_expect_not_null(strstr(text, "\r\nConnection: close\r\n"));
    cr_expect_not_null(strstr(text, "\"code\":\"overloaded\""));
    close(fd);
}

static int64_t held(void)
{
    return metric_value(metrics_gauge("viaduct_http_body_bytes", "", NULL));
}

/* `taken` of the budget is held by fd. */
static void expect_the_rest(struct harness *h, int fd, int taken)
{
    EVENTUALLY(held() == taken);
    expect_refused(post(h, "/echo", BUDGET - taken + 1, BUDGET - taken + 1));
    EVENTUALLY(held() == taken);
    expect_refused(post_chunked(h, BUDGET - taken + 1));
    EVENTUALLY(held() == taken);
    expect_served(post(h, "/echo", BUDGET - taken, BUDGET - taken));
    EVENTUALLY(held() == taken);
    expect_served(post_chunked(h, BUDGET - taken));
    close(fd);
    EVENTUALLY(held() == 0);
}

Test(quota, a_body_over_the_budget_of_all_gets_503)
{
    struct harness h;
    struct http_quota *q = begin(&h, 0, 0, BUDGET);

    expect_the_rest(&h, post(&h, "/wait", 800, 800), 800);
    expect_the_rest(&h, post(&h, "/echo", 900, 700), 700); /* never whole */
    cr_expect(may_enter(&h), "without a body nothing is taken");
    end(&h, q);
}

Test(quota, bodies_one_after_the_other_on_one_connection_fit)
{
    struct harness h;
    struct http_quota *q = begin(&h, 0, 0, BUDGET);
    int fd = post(&h, "/echo", 900, 900);
    char text[4096];

    client_read(fd, text, sizeof text, "POST /echo  0");
    for (int i = 0; i < 5; i++) {
        client_send(fd, STR("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\n"));
        client_send(fd, STR("x"));
        client_read(fd, text, sizeof text, "POST /echo  x");
        cr_expect_not_null(strstr(text, " 200 OK\r\n"));
    }
    EVENTUALLY(held() == 0);
    close(fd);
    end(&h, q);
}

Test(quota, what_is_held_at_the_end_of_a_server_is_given_back)
{
    struct harness h;
    struct http_quota *q = begin(&h, 1, 1, BUDGET);
    int fd = post(&h, "/wait", 800, 800);

    EVENTUALLY(h.requests == 1);
    harness_stop(&h);
    cr_expect_eq(held(), 0);
    cr_expect_eq(http_quota_enter(q, NULL), HTTP_QUOTA_YES);
    http_quota_leave(q, NULL);
    close(fd);
    http_quota_destroy(q);
}
