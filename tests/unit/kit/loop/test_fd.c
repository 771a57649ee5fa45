// SPDX-License-Identifier: Apache-2.0
/* Descriptors and signals. */
#include "guard.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

static struct loop *loop;

static void setup(void)
{
    loop = loop_create();
}

static void teardown(void)
{
    loop_destroy(loop);
}

TestSuite(loop_fd, .init = setup, .fini = teardown);

struct seen {
    struct loop_fd *watch;
    int ends[2];
    int calls;
    int ready;
};

static void stop_when_ready(void *arg, int ready)
{
    struct seen *s = arg;

    s->calls++;
    s->ready |= ready;
    loop_stop(loop);
}

static void open_pair(struct seen *s, void (*fn)(void *, int))
{
    *s = (struct seen){0};
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, s->ends), 0);
    s->watch = loop_fd_create(loop, s->ends[0], fn, s);
}

static void close_pair(struct seen *s)
{
    loop_fd_destroy(s->watch);
    close(s->ends[0]);
    close(s->ends[1]);
}

static int turns_left;
static struct loop_task turner;

static void count_turns(struct loop_task *t)
{
    if (turns_left-- > 0)
        loop_soon(loop, t);
    else
        loop_stop(loop);
}

/* During which nothing that is wanted may be missed. */
static void run_two_turns(void)
{
    turns_left = 2;
    loop_task_init(&turner, count_turns);
    loop_soon(loop, &turner);
    guard_run(loop);
}

Test(loop_fd, says_what_is_ready_and_only_what_is_wanted)
{
    struct seen s;

    open_pair(&s, stop_when_ready);
    run_two_turns();
    cr_assert_eq(s.calls, 0, "nothing is wanted yet");
    loop_fd_want(s.watch, LOOP_READ | LOOP_WRITE);
    guard_run(loop);
    cr_assert_eq(s.ready, LOOP_WRITE);
    cr_assert_eq(write(s.ends[1], "x", 1), 1);
    s.ready = 0;
    loop_fd_want(s.watch, LOOP_READ);
    guard_run(loop);
    cr_assert_eq(s.ready, LOOP_READ);
    close_pair(&s);
}

Test(loop_fd, is_level_triggered_and_can_pause)
{
    struct seen s;

    open_pair(&s, stop_when_ready);
    cr_assert_eq(write(s.ends[1], "x", 1), 1);
    loop_fd_want(s.watch, LOOP_READ);
    guard_run(loop);
    guard_run(loop);
    cr_assert_eq(s.calls, 2, "what is not read stays ready");
    loop_fd_want(s.watch, 0);
    run_two_turns();
    cr_assert_eq(s.calls, 2);
    loop_fd_want(s.watch, LOOP_READ);
    guard_run(loop);
    cr_assert_eq(s.calls, 3);
    close_pair(&s);
}

Test(loop_fd, the_other_ends_close_makes_it_readable)
{
    struct seen s;

    open_pair(&s, stop_when_ready);
    loop_fd_want(s.watch, LOOP_READ);
    close(s.ends[1]);
    s.ends[1] = -1;
    guard_run(loop);
    cr_assert_eq(s.ready, LOOP_READ);
    close_pair(&s);
}

static void destroy_itself(void *arg, int ready)
{
    struct seen *s = arg;

    (void)ready;
    s->calls++;
    loop_fd_destroy(s->watch);
    s->watch = NULL;
    loop_stop(loop);
}

Test(loop_fd, may_be_destroyed_by_its_own_callback)
{
    struct seen s;

    open_pair(&s, destroy_itself);
    cr_assert_eq(write(s.ends[1], "x", 1), 1);
    loop_fd_want(s.watch, LOOP_READ | LOOP_WRITE);
    guard_run(loop);
    run_two_turns();
    cr_assert_eq(s.calls, 1);
    close_pair(&s);
}

static struct seen both[2];

static void destroy_the_other(void *arg, int ready)
{
    struct seen *other = &both[arg == &both[0]];

    (void)ready;
    ((struct seen *)arg)->calls++;
    loop_fd_destroy(other->watch);
    other->watch = NULL;
    loop_fd_want(((struct seen *)arg)->watch, 0);
    loop_stop(loop);
}

/* Both are ready in the same pass, whichever comes first. */
Test(loop_fd, a_destroyed_descriptor_is_not_heard_of_again)
{
    for (int i = 0; i < 2; i++) {
        open_pair(&both[i], destroy_the_other);
        loop_fd_want(both[i].watch, LOOP_WRITE);
    }
    guard_run(loop);
    run_two_turns();
    cr_assert_eq(both[0].calls + both[1].calls, 1);
    close_pair(&both[0]);
    close_pair(&both[1]);
}

/* The number of a closed descriptor comes back at once for another file. */
Test(loop_fd, a_reused_number_is_watched_anew)
{
    struct seen s;

    open_pair(&s, stop_when_ready);
    loop_fd_want(s.watch, LOOP_READ);
    run_two_turns();
    for (int i = 0; i < 5; i++) {
        int number = s.ends[0];

        close_pair(&s);
        open_pair(&s, stop_when_ready);
        cr_assert_eq(s.ends[0], number);
        cr_assert_eq(write(s.ends[1], "x", 1), 1);
        loop_fd_want(s.watch, LOOP_READ);
        guard_run(loop);
        cr_assert_eq(s.calls, 1);
    }
    close_pair(&s);
}

static void on_signal(void *arg, int signo)
{
    *(int *)arg = signo;
    loop_stop(loop);
}

Test(loop_fd, a_signal_is_handled_in_the_loop)
{
    int got = 0;
    struct loop_signal *s = loop_signal_create(loop, SIGUSR1, on_signal, &got);

    raise(SIGUSR1);
    cr_assert_eq(got, 0, "not in signal context");
    guard_run(loop);
    cr_assert_eq(got, SIGUSR1);
    loop_signal_destroy(s);
    loop_signal_destroy(NULL);
}
