// SPDX-License-Identifier: Apache-2.0
/* The watchdog sees what holds up a loop, and does not count waiting. */
#include "guard.h"

#include "kit/base/clock.h"

#include <event2/event.h>
#include <unistd.h>

enum { BLOCK_US = 30000 };

static struct loop *loop;

static void setup(void)
{
    loop = loop_create();
}

static void teardown(void)
{
    loop_destroy(loop);
}

TestSuite(loop_watch, .init = setup, .fini = teardown);

static void block(void)
{
    usleep(BLOCK_US);
}

static void burn(void)
{
    int64_t until = clock_mono_us() + BLOCK_US;

    while (clock_mono_us() < until)
        ;
}

static void stop(struct loop_timer *t)
{
    (void)t;
    loop_stop(loop);
}

static void run_for_ms(int64_t ms)
{
    struct loop_timer t;

    loop_timer_init(&t, loop, stop);
    loop_timer_set(&t, ms);
    guard_run(loop);
}

Test(loop_watch, waiting_is_no_turn)
{
    run_for_ms(150);
    cr_assert_lt(loop_turns(loop).longest_us, 100000);
    cr_assert_gt(loop_turns(loop).turns, 0);
}

static void blocking_task(struct loop_task *t)
{
    (void)t;
    block();
}

static void blocking_timer(struct loop_timer *t)
{
    block();
    stop(t);
}

static void blocking_free(void *ptr)
{
    (void)ptr;
    block();
}

static void assert_seen(void)
{
    cr_assert_geq(loop_turns(loop).longest_us, BLOCK_US);
    cr_assert_geq(loop_turns(loop).over_5ms, 1);
}

Test(loop_watch, a_blocking_timer_is_seen)
{
    struct loop_timer t;

    loop_timer_init(&t, loop, blocking_timer);
    loop_timer_set(&t, 1);
    guard_run(loop);
    assert_seen();
}

Test(loop_watch, a_blocking_soon_task_is_seen)
{
    struct loop_task t;

    loop_task_init(&t, blocking_task);
    loop_soon(loop, &t);
    run_for_ms(20);
    assert_seen();
}

Test(loop_watch, a_blocking_turn_end_task_is_seen)
{
    struct loop_task t;

    loop_task_init(&t, blocking_task);
    loop_at_turn_end(loop, &t);
    run_for_ms(20);
    assert_seen();
}

Test(loop_watch, a_blocking_destructor_is_seen)
{
    loop_free_later(loop, blocking_free, NULL);
    run_for_ms(20);
    assert_seen();
}

static void burn_on_read(evutil_socket_t fd, short what, void *arg)
{
    char byte;

    (void)what, (void)arg;
    cr_assert_eq(read(fd, &byte, 1), 1);
    burn();
    loop_stop(loop);
}

static void do_nothing(struct loop_post *p)
{
    (void)p;
}

/* Such as a TLS handshake: nothing of kit/loop runs in that turn. */
Test(loop_watch, work_of_others_on_the_event_base_is_seen)
{
    struct loop_post wake = {.fn = do_nothing};
    struct event *ev;
    int ends[2];

    cr_assert_eq(pipe(ends), 0);
    ev = event_new(loop_event_base(loop), ends[0], EV_READ | EV_PERSIST, burn_on_read,
                   NULL);
    event_add(ev, NULL);
    loop_post(loop, &wake);
    run_for_ms(20); /* the loop has slept before */
    cr_assert_eq(write(ends[1], "x", 1), 1);
    guard_run(loop);
    cr_assert_geq(loop_turns(loop).longest_us,
                  BLOCK_US / 2); /* CPU time: others run too */
    event_free(ev);
    close(ends[0]);
    close(ends[1]);
}
