// SPDX-License-Identifier: Apache-2.0
/*
 * The gateway's listeners, by a real process with nothing behind it: the plain one sends
 * to https, the other speaks TLS, neither minds that there are no descriptors left, and
 * SIGTERM costs no request.
 */
#include "front.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CLIENTS_OF_LOOPS = 24 };

static bool serves_tls(void *arg)
{
    struct client c = {0};
    bool yes = open_client(&c, tls_port) && ask(&c, GET);

    (void)arg;
    close_client(&c);
    return yes;
}

static void start(void)
{
    static const char *const settings[] = {
        "VIADUCT_TLS_REDIRECT_PORT=8443",
        "VIADUCT_LOOPS=1", /* others may take the spare descriptor */
        NULL,
    };

    front_start(settings, serves_tls);
}

static void start_loops(void)
{
    static const char *const settings[] = {"VIADUCT_LOOPS=3", "VIADUCT_LIMIT_IP=0", NULL};

    front_start(settings, serves_tls);
}

TestSuite(front, .init = start, .fini = front_stop, .timeout = 120);
TestSuite(loops, .init = start_loops, .fini = front_stop, .timeout = 120);

/* ---- from plain to https ---- */

static void expect_has(const struct client *c, const char *text)
{
    cr_expect_not_null(strstr(c->answer, text), "no %s in\n%s", text, c->answer);
}

static void expect_redirect(const char *request, const char *host, const char *target)
{
    char location[256];
    struct client c = {0};

    (void)snprintf(location, sizeof location, "\r\nLocation: https://%s:8443%s\r\n", host,
                   target);
    cr_assert(open_client(&c, plain_port));
    cr_assert(ask(&c, request));
    cr_expect_eq(strncmp(c.answer, "HTTP/1.1 308 ", 13), 0, "%s", c.answer);
    expect_has(&c, location);
    expect_has(&c, "\r\nAPI-Version: 1\r\n");
    expect_has(&c, "\r\nX-Frame-Options: DENY\r\n");
    cr_expect_null(strstr(c.answer, "Strict-Transport-Security"));
    close_client(&c);
}

Test(front, plain_requests_are_sent_to_https)
{
    struct client c = {0};

    expect_redirect(
        "GET /v1/products?limit=1 HTTP/1.1\r\nHost: shop.example:8080\r\n\r\n",
        "shop.example", "/v1/products?limit=1");
    expect_redirect("GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", "[::1]", "/");
    /* no byte of the body is sent */
    expect_redirect("POST /v1/orders HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n",
                    "a", "/v1/orders");
    cr_assert(open_client(&c, plain_port) && ask(&c, "GET / HTTP/1.0\r\n\r\n"));
    cr_expect_eq(strncmp(c.answer, "HTTP/1.1 400 ", 13), 0, "%s", c.answer);
    expect_has(&c, "application/problem+json");
    close_client(&c);
    cr_assert(open_client(&c, tls_port) && ask(&c, GET));
    cr_expect_eq(strncmp(c.answer, "HTTP/1.1 404 ", 13), 0, "%s", c.answer);
    expect_has(&c, "Strict-Transport-Security: max-age=");
    close_client(&c);
}

/* ---- no descriptor left ---- */

/* Those that still get a descriptor keep it, until nobody gets one. What the process
 * itself opens and closes meanwhile may let one in now and then. */
static void expect_shedding(int port)
{
    enum { MANY = 100, ENOUGH = 5 };
    static struct client in[MANY];
    int n = 0, closed = 0;

    while (n < MANY && closed < ENOUGH) {
        if (open_client(&in[n], port) && ask(&in[n], GET)) {
            n++;
            continue;
        }
        cr_assert(is_closed(&in[n]));
        close_client(&in[n]);
        closed++;
    }
    cr_expect_eq(closed, ENOUGH, "of %d", n + closed);
    while (n > 0)
        close_client(&in[--n]);
}

static void without_descriptors(int port)
{
    struct client old = {0}, young = {0};
    struct rlimit before;

    cr_assert(open_client(&old, port) && ask(&old, GET));
    front_set_descriptors(front_descriptors(), &before);
    expect_shedding(port);
    expect_no_spinning();
    cr_expect(ask(&old, GET), "who was there goes on");
    front_set_descriptors(before.rlim_cur, NULL);
    cr_expect(open_client(&young, port) && ask(&young, GET), "and others come in again");
    close_client(&young);
    close_client(&old);
}

Test(front, plain_clients_are_closed_at_once_when_no_descriptor_is_left)
{
    without_descriptors(plain_port);
}

Test(front, tls_clients_are_closed_at_once_when_no_descriptor_is_left)
{
    without_descriptors(tls_port);
}

/* ---- SIGTERM ---- */

enum { ASKERS = 8, ASKED_LONG_AGO = ASKERS / 2 };

/* Those before ASKED_LONG_AGO paused when the gateway was told to go. */
static void *ask_to_the_last(void *arg)
{
    struct client *c = arg;

    while (ask(c, GET)) {
        if (strstr(c->answer, "\r\nConnection: close\r\n"))
            return c;
        usleep(10000);
    }
    return NULL;
}

static bool refuses(void *arg)
{
    struct client c = {0};
    bool no = !open_client(&c, tls_port);

    (void)arg;
    close_client(&c);
    return no;
}

Test(front, sigterm_costs_no_request_of_clients_that_keep_their_connections)
{
    static struct client clients[ASKERS];
    pthread_t askers[ASKERS];
    void *answered;

    for (int i = 0; i < ASKERS; i++)
        cr_assert(open_client(&clients[i], tls_port) && ask(&clients[i], GET));
    for (int i = ASKED_LONG_AGO; i < ASKERS; i++)
        pthread_create(&askers[i], NULL, ask_to_the_last, &clients[i]);
    program_signal(&gateway, SIGTERM);
    program_wait_until(&gateway, refuses, NULL, 30);
    for (int i = 0; i < ASKED_LONG_AGO; i++)
        pthread_create(&askers[i], NULL, ask_to_the_last, &clients[i]);
    for (int i = 0; i < ASKERS; i++) {
        pthread_join(askers[i], &answered);
        cr_expect_not_null(answered, "a request of client %d was lost", i);
        close_client(&clients[i]);
    }
    cr_expect_eq(program_wait(&gateway, 60), 0);
}

/* ---- several loops ---- */

static bool all_come_in(void *arg)
{
    struct client c[CLIENTS_OF_LOOPS] = {0};
    bool yes = true;

    (void)arg;
    for (int i = 0; i < CLIENTS_OF_LOOPS; i++)
        yes = open_client(&c[i], plain_port) && ask(&c[i], GET) && yes;
    for (int i = 0; i < CLIENTS_OF_LOOPS; i++)
        close_client(&c[i]);
    return yes;
}

/* Loops take each other's spare descriptors: then some wait to be let in or turned away.
 * Whoever is in goes on, no loop is busy with it, and when there is room all are let in.
 */
Test(loops, go_on_when_no_descriptor_is_left_for_any_of_them)
{
    enum { MANY = 200 };
    static struct client in[MANY];
    struct client old[CLIENTS_OF_LOOPS] = {0};
    int answered = 0;

    for (int i = 0; i < CLIENTS_OF_LOOPS; i++)
        cr_assert(open_client(&old[i], plain_port) && ask(&old[i], GET));
    front_set_descriptors(front_descriptors() + 2 * CLIENTS_OF_LOOPS, NULL);
    for (int i = 0; i < MANY; i++) {
        cr_assert(open_client(&in[i], plain_port)); /* the kernel takes them all */
        send_text(&in[i], GET);
    }
    for (int i = 0; i < CLIENTS_OF_LOOPS; i++)
        cr_expect(ask(&old[i], GET), "who was there goes on");
    expect_no_spinning();
    for (int i = 0; i < MANY; i++) {
        char byte;

        answered += recv(in[i].fd, &byte, 1, MSG_DONTWAIT) == 1;
        close_client(&in[i]);
    }
    cr_expect(answered > 0 && answered < MANY, "%d were answered", answered);
    program_wait_until(&gateway, all_come_in, NULL, 30);
    for (int i = 0; i < CLIENTS_OF_LOOPS; i++) {
        cr_expect(ask(&old[i], GET));
        close_client(&old[i]);
    }
}
