// SPDX-License-Identifier: Apache-2.0
/* Much at once: everybody is served, and no turn of the loop is as long as all of it.
 * Only numbers of turns are looked at, which a busy machine can only raise. */
#include "harness.h"
#include "kit/base/clock.h"

#include <criterion/criterion.h>
#include <semaphore.h>
#include <unistd.h>

/* With the last of a turn begun just before its time was over, and one before it that the
 * turn's time is not looked at. */
enum { MANY = 48, EACH_US = 500, IN_A_TURN = LOOP_PACE_US / EACH_US + 3 };

static struct harness h;
static int fds[MANY];

/* By the head alone. */
static void deny(void *arg, struct http_req *r)
{
    int64_t until_us = clock_mono_us() + EACH_US;

    (void)arg;
    while (clock_mono_us() < until_us)
        ;
    http_reply(r, 401, NULL, NULL, 0, STR("denied"));
}

static void setup(void)
{
    harness_start(&h, (struct http_conf){.head = deny});
    atomic_store(&h.busy_us, EACH_US);
}

static void teardown(void)
{
    harness_stop(&h);
}

TestSuite(turns, .init = setup, .fini = teardown);

/* ---- the loop stands still meanwhile ---- */

struct pause {
    struct loop_post post;
    sem_t begun, over;
    uint64_t turns;
};

static void stand_still(struct loop_post *p)
{
    struct pause *pause = CONTAINER_OF(p, struct pause, post);

    sem_post(&pause->begun);
    sem_wait(&pause->over);
}

static void pause_loop(struct pause *p)
{
    *p = (struct pause){.post.fn = stand_still};
    sem_init(&p->begun, 0, 0);
    sem_init(&p->over, 0, 0);
    loop_post(harness_loop(), &p->post);
    sem_wait(&p->begun);
}

static void go_on(struct pause *p)
{
    p->turns = loop_turns(harness_loop()).turns;
    sem_post(&p->over);
}

static void expect_many_turns(const struct pause *p, unsigned calls)
{
    cr_expect_geq(loop_turns(harness_loop()).turns - p->turns, calls / IN_A_TURN);
}

/* ---- */

static void connect_all(void)
{
    for (int i = 0; i < MANY; i++)
        fds[i] = client_connect(&h);
}

static void send_all(const char *request)
{
    for (int i = 0; i < MANY; i++)
        client_send(fds[i], str_of(request));
}

static void close_all(void)
{
    for (int i = 0; i < MANY; i++)
        close(fds[i]);
}

Test(turns, many_requests_at_once)
{
    struct pause p;
    char answer[4096];

    connect_all();
    pause_loop(&p);
    send_all("GET /echo HTTP/1.1\r\nHost: a\r\n\r\n");
    go_on(&p);
    for (int i = 0; i < MANY; i++)
        client_read(fds[i], answer, sizeof answer, "GET /echo  ");
    expect_many_turns(&p, MANY);
    close_all();
}

/* All in one packet. */
static void expect_paced(const char *request)
{
    static char answers[1 << 15];
    int fd = client_connect(&h);
    struct pause p;
    struct buf asked;

    buf_init(&asked, 1 << 13);
    for (int i = 1; i < MANY; i++)
        buf_str(&asked, str_of(request));
    buf_str(&asked, STR("GET /last HTTP/1.1\r\nHost: a\r\n\r\n"));
    pause_loop(&p);
    client_send(fd, buf_view(&asked));
    buf_fini(&asked);
    go_on(&p);
    client_read(fd, answers, sizeof answers, "GET /last ");
    cr_expect_not_null(strstr(answers, "GET /last "));
    expect_many_turns(&p, MANY);
    close(fd);
}

Test(turns, many_requests_of_one_client)
{
    expect_paced("GET /echo HTTP/1.1\r\nHost: a\r\n\r\n");
    expect_paced("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx");
}

/* So all of them have something to do in every turn. */
Test(turns, many_requests_of_many_clients)
{
    enum { EACH = 10 };
    static char answers[1 << 15];
    struct pause p;

    connect_all();
    pause_loop(&p);
    for (int i = 0; i < EACH - 1; i++)
        send_all("GET /echo HTTP/1.1\r\nHost: a\r\n\r\n");
    send_all("GET /last HTTP/1.1\r\nHost: a\r\n\r\n");
    go_on(&p);
    for (int i = 0; i < MANY; i++)
        client_read(fds[i], answers, sizeof answers, "GET /last ");
    expect_many_turns(&p, EACH * MANY);
    close_all();
}

Test(turns, many_clients_that_go_away_at_once)
{
    struct pause p;

    connect_all();
    send_all("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
    EVENTUALLY(atomic_load(&h.requests) == MANY);
    pause_loop(&p);
    close_all();
    usleep(150000); /* so the look at all that are in flight is due, too */
    go_on(&p);
    EVENTUALLY(atomic_load(&h.gone) == MANY);
    expect_many_turns(&p, MANY);
}

#ifndef HARNESS_TLS /* whose clients would wait for the server's part of the handshake \
                     */
Test(turns, many_that_connect_at_once_are_all_accepted)
{
    enum { BACKLOG = 800 };
    static int all[BACKLOG];
    struct pause p;
    char answer[4096];

    atomic_store(&h.busy_us, 0);
    pause_loop(&p);
    for (int i = 0; i < BACKLOG; i++) {
        all[i] = client_connect(&h);
        client_send(all[i], STR("GET /echo HTTP/1.1\r\nHost: a\r\n\r\n"));
    }
    go_on(&p);
    for (int i = 0; i < BACKLOG; i++) {
        client_read(all[i], answer, sizeof answer, "GET /echo  ");
        close(all[i]);
    }
}
#endif
