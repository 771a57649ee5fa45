// SPDX-License-Identifier: Apache-2.0
/* The watchdog sees what holds up a loop, and does not count waiting. */
#include "guard.h"

#include "kit/base/log.h"

#include <event2/event.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
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
    cr_assert_geq(loop_turns(loop).longest_own_us, BLOCK_US / 2); /* true to a sample */
    cr_assert_geq(loop_turns(loop).own_over_5ms, 1);
}

static void nothing(struct loop_task *t)
{
    (void)t;
}

Test(loop_watch, waiting_after_a_task_is_no_turn_either)
{
    struct loop_task t;

    loop_task_init(&t, nothing);
    loop_soon(loop, &t);
    run_for_ms(400);
    cr_assert_lt(loop_turns(loop).longest_us, 300000);
}

Test(loop_watch, a_blocking_timer_is_seen)
{
    struct loop_timer t;

    loop_timer_init(&t, loop, blocking_timer);
    loop_timer_set(&t, 1);
    guard_run(loop);
    assert_seen();
}

/* What was written on stderr while the loop ran, such as logs. */
static const char *said_during(void (*run)(void))
{
    static char text[4096];
    FILE *file = tmpfile();
    int before = dup(STDERR_FILENO);
    size_t n;

    cr_assert(file && dup2(fileno(file), STDERR_FILENO) >= 0);
    run();
    cr_assert(dup2(before, STDERR_FILENO) >= 0);
    rewind(file);
    n = fread(text, 1, sizeof text - 1, file);
    text[n] = 0;
    (void)fclose(file);
    close(before);
    return text;
}

static void run_one_that_blocks(void)
{
    struct loop_timer t;

    loop_timer_init(&t, loop, blocking_timer);
    loop_timer_set(&t, 1);
    guard_run(loop);
}

static bool is_said(const char *text, const char *word)
{
    return strstr(text, word) != NULL;
}

Test(loop_watch, what_blocks_is_named)
{
    const char *text;

    log_init("test", LOG_LEVEL_WARN);
    text = said_during(run_one_that_blocks);
    cr_expect(is_said(text, "\"event\":\"loop.long_turn\""), "%s", text);
    cr_expect(is_said(text, "kit/loop/test_watch.c:blocking_timer\""), "%s", text);
    cr_expect_not(is_said(text, "\"blocked_us\":0"), "%s", text);
}

static void burning_timer(struct loop_timer *t)
{
    burn();
    stop(t);
}

static struct loop_turns turns_of_a_burning_timer(void)
{
    struct loop_timer t;

    loop_timer_init(&t, loop, burning_timer);
    loop_timer_set(&t, 1);
    guard_run(loop);
    return loop_turns(loop);
}

Test(loop_watch, computing_is_its_own_time_too)
{
    struct loop_turns t = turns_of_a_burning_timer();

    cr_assert_geq(t.longest_own_us, BLOCK_US / 2);
    cr_assert_leq(t.longest_own_us, t.longest_us);
}

static void use_one_processor(void)
{
    cpu_set_t all, one;
    size_t cpu = 0;

    cr_assert_eq(sched_getaffinity(0, sizeof all, &all), 0);
    while (!CPU_ISSET(cpu, &all))
        cpu++;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    cr_assert_eq(sched_setaffinity(0, sizeof one, &one), 0);
}

static atomic_bool crowded = true;

static void *crowd(void *unused)
{
    (void)unused;
    while (atomic_load(&crowded))
        ;
    return NULL;
}

Test(loop_watch, waiting_for_a_processor_is_not_its_own_time)
{
    enum { CROWD = 4 };
    pthread_t threads[CROWD];
    struct loop_turns t = {0};

    use_one_processor();
    for (int i = 0; i < CROWD; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, crowd, NULL), 0);
    while (t.longest_us < t.longest_own_us + BLOCK_US)
        t = turns_of_a_burning_timer();
    atomic_store(&crowded, false);
    for (int i = 0; i < CROWD; i++)
        pthread_join(threads[i], NULL);
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
