// SPDX-License-Identifier: Apache-2.0
/* However much is ready at once, turns stay short: what is left is for the next one. Only
 * numbers of turns are looked at, which a busy machine can only raise. */
#include "guard.h"

#include "kit/base/clock.h"

#include <event2/event.h>
#include <unistd.h>

/* With the last of a turn begun just before its time was over. */
enum { MANY = 64, EACH_US = 500, IN_A_TURN = LOOP_PACE_US / EACH_US + 2 };

static struct loop *loop;
static int order[MANY];
static int calls;

static void setup(void)
{
    loop = loop_create();
    calls = 0;
}

static void teardown(void)
{
    loop_destroy(loop);
}

TestSuite(loop_pace, .init = setup, .fini = teardown);

static void take_time(int i)
{
    int64_t until = clock_mono_us() + EACH_US;

    while (clock_mono_us() < until)
        ;
    order[calls++] = i;
    if (calls == MANY)
        loop_stop(loop);
}

static void expect_many_turns(void)
{
    guard_run(loop);
    cr_assert_eq(calls, MANY);
    cr_expect_geq(loop_turns(loop).turns, MANY / IN_A_TURN);
}

struct item {
    struct loop_timer timer;
    struct loop_fd *fd;
    struct event *event;
    int i, ends[2];
};

static void make_readable(struct item *it, int i)
{
    it->i = i;
    cr_assert_eq(pipe(it->ends), 0);
    cr_assert_eq(write(it->ends[1], "x", 1), 1);
}

static void close_ends(const struct item *it)
{
    close(it->ends[0]);
    close(it->ends[1]);
}

static void on_readable(void *arg, int ready)
{
    struct item *it = arg;

    (void)ready;
    loop_fd_want(it->fd, 0);
    take_time(it->i);
}

Test(loop_pace, many_descriptors_that_are_ready)
{
    struct item items[MANY];

    for (int i = 0; i < MANY; i++) {
        make_readable(&items[i], i);
        items[i].fd = loop_fd_create(loop, items[i].ends[0], on_readable, &items[i]);
        loop_fd_want(items[i].fd, LOOP_READ);
    }
    expect_many_turns();
    for (int i = 0; i < MANY; i++) {
        loop_fd_destroy(items[i].fd);
        close_ends(&items[i]);
    }
}

enum { AT_ONCE = 8 * LOOP_EVENTS_MAX };

static void on_readable_count(void *arg, int ready)
{
    struct item *it = arg;

    (void)ready;
    loop_fd_want(it->fd, 0);
    if (++calls == AT_ONCE)
        loop_stop(loop);
}

/* libevent begins with 32 and doubles that. */
Test(loop_pace, a_turn_takes_no_more_than_so_many_events)
{
    static struct item items[AT_ONCE];

    for (int i = 0; i < AT_ONCE; i++) {
        make_readable(&items[i], i);
        items[i].fd =
            loop_fd_create(loop, items[i].ends[0], on_readable_count, &items[i]);
        loop_fd_want(items[i].fd, LOOP_READ);
    }
    guard_run(loop);
    cr_expect_geq(loop_turns(loop).turns, AT_ONCE / LOOP_EVENTS_MAX);
    for (int i = 0; i < AT_ONCE; i++) {
        loop_fd_destroy(items[i].fd);
        close_ends(&items[i]);
    }
}

static void of_others(evutil_socket_t fd, short what, void *arg)
{
    struct item *it = arg;

    (void)fd, (void)what;
    take_time(it->i);
    loop_pace(loop);
}

Test(loop_pace, many_events_of_others)
{
    struct item items[MANY];

    for (int i = 0; i < MANY; i++) {
        make_readable(&items[i], i);
        items[i].event = event_new(loop_event_base(loop), items[i].ends[0], EV_READ,
                                   of_others, &items[i]);
        event_add(items[i].event, NULL);
    }
    expect_many_turns();
    for (int i = 0; i < MANY; i++) {
        event_free(items[i].event);
        close_ends(&items[i]);
    }
}

static struct item ours;
static int served;

static void of_clients(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what, (void)arg;
    if (served++ == 0)
        cr_assert_eq(write(ours.ends[1], "x", 1), 1);
}

static void on_ours(void *arg, int ready)
{
    (void)arg, (void)ready;
    loop_stop(loop);
}

/* All clients are ready for ever; then one of ours gets ready. */
Test(loop_pace, descriptors_of_ours_do_not_wait_behind_all_clients)
{
    static struct item clients[AT_ONCE];

    served = 0;
    make_readable(&ours, 0);
    cr_assert_eq(read(ours.ends[0], &(char){0}, 1), 1);
    ours.fd = loop_fd_create(loop, ours.ends[0], on_ours, NULL);
    loop_fd_want(ours.fd, LOOP_READ);
    for (int i = 0; i < AT_ONCE; i++) {
        make_readable(&clients[i], i);
        clients[i].event = event_new(loop_event_base(loop), clients[i].ends[0],
                                     EV_READ | EV_PERSIST, of_clients, NULL);
        event_add(clients[i].event, NULL);
    }
    guard_run(loop);
    cr_expect_leq(served, 2 * LOOP_EVENTS_MAX);
    for (int i = 0; i < AT_ONCE; i++) {
        event_free(clients[i].event);
        close_ends(&clients[i]);
    }
    loop_fd_destroy(ours.fd);
    close_ends(&ours);
}

static void on_time(struct loop_timer *t)
{
    take_time(CONTAINER_OF(t, struct item, timer)->i);
}

static void set_all(struct item *items)
{
    int64_t due_us = clock_mono_us();

    for (int i = 0; i < MANY; i++) {
        items[i].i = i;
        loop_timer_init(&items[i].timer, loop, on_time);
        loop_timer_set_at(&items[i].timer, due_us);
    }
}

Test(loop_pace, many_timers_that_are_due_keep_their_order)
{
    struct item items[MANY];

    set_all(items);
    expect_many_turns();
    for (int i = 0; i < MANY; i++)
        cr_expect_eq(order[i], i);
}

struct clearing {
    struct loop_task task;
    struct item items[MANY];
};

static void clear_the_last(struct loop_task *t)
{
    struct loop_timer *last =
        &CONTAINER_OF(t, struct clearing, task)->items[MANY - 1].timer;

    cr_expect(loop_timer_is_set(last));
    loop_timer_clear(last);
    cr_expect_not(loop_timer_is_set(last));
}

/* At the end of the turn in which the first runs. */
static void on_time_clear(struct loop_timer *t)
{
    struct clearing *c = CONTAINER_OF(t, struct clearing, items[0].timer);

    on_time(t);
    loop_at_turn_end(loop, &c->task);
}

static void stop(struct loop_timer *t)
{
    (void)t;
    loop_stop(loop);
}

Test(loop_pace, a_timer_that_waits_for_the_next_turn_can_be_cleared)
{
    struct clearing c;
    struct loop_timer end;

    loop_task_init(&c.task, clear_the_last);
    set_all(c.items);
    c.items[0].timer.fn = on_time_clear;
    loop_timer_init(&end, loop, stop);
    loop_timer_set(&end, 2 * LOOP_TICK_MS);
    guard_run(loop);
    cr_expect_eq(calls, MANY - 1);
}
