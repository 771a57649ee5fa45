// SPDX-License-Identifier: Apache-2.0
/* The watchdog sees what holds up a loop, and does not count waiting. */
#include "guard.h"

#include <event2/event.h>
#include <time.h>
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

static int64_t cpu_us(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* By the thread's own time: the machine may be busy. */
static void burn(void)
{
    int64_t until = cpu_us() + BLOCK_US;

    while (cpu_us() < until)
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
    run_for_ms(400);
    cr_assert_lt(loop_turns(loop).longest_us, 300000);
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

static int ends[2];

static void write_byte(struct loop_timer *t)
{
    (void)t;
    cr_assert_eq(write(ends[1], "x", 1), 1);
}

/* Such as a TLS handshake: nothing of kit/loop runs in that turn. */
Test(loop_watch, work_of_others_on_the_event_base_is_seen)
{
    struct loop_timer later;
    struct event *ev;

    cr_assert_eq(pipe(ends), 0);
    ev = event_new(loop_event_base(loop), ends[0], EV_READ | EV_PERSIST, burn_on_read,
                   NULL);
    event_add(ev, NULL);
    loop_timer_init(&later, loop, write_byte);
    loop_timer_set(&later, 20);
    guard_run(loop);
    cr_assert_geq(loop_turns(loop).longest_us, BLOCK_US / 2); /* the loop's estimate */
    event_free(ev);
    close(ends[0]);
    close(ends[1]);
}
