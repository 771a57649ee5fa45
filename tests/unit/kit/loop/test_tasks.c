// SPDX-License-Identifier: Apache-2.0
/* The order within a turn: posts, soon, events, turn end, frees. */
#include "guard.h"

#include <stdlib.h>
#include <unistd.h>

static struct loop *loop;
static char trace[64];

static void setup(void)
{
    loop = loop_create();
}

static void teardown(void)
{
    loop_destroy(loop);
}

TestSuite(loop_tasks, .init = setup, .fini = teardown);

static void note(char c)
{
    trace[strlen(trace)] = c;
}

struct letter {
    struct loop_task task;
    struct loop_post post;
    char c;
};

static void note_task(struct loop_task *t)
{
    note(CONTAINER_OF(t, struct letter, task)->c);
}

static void note_post(struct loop_post *p)
{
    note(CONTAINER_OF(p, struct letter, post)->c);
}

static void note_free(void *ptr)
{
    note(*(char *)ptr);
}

static void stop_task(struct loop_task *t)
{
    (void)t;
    loop_stop(loop);
}

static void init_letter(struct letter *l, char c)
{
    *l = (struct letter){.c = c, .post = {.fn = note_post}};
    loop_task_init(&l->task, note_task);
}

Test(loop_tasks, a_stop_before_the_run_ends_it_at_once)
{
    loop_stop(loop);
    guard_run(loop);
    cr_assert_eq(loop_turns(loop).turns, 0);
}

Test(loop_tasks, posts_run_in_the_order_they_were_posted)
{
    struct letter letters[5];
    struct loop_task stop;

    for (int i = 0; i < 5; i++) {
        init_letter(&letters[i], (char)('a' + i));
        loop_post(loop, &letters[i].post);
    }
    loop_task_init(&stop, stop_task);
    loop_at_turn_end(loop, &stop);
    guard_run(loop);
    loop_post(loop, &letters[0].post); /* what is there at the end is run as well */
    loop_destroy(loop);
    loop = NULL;
    cr_assert_str_eq(trace, "abcdea");
}

static void post_again(struct loop_post *p)
{
    struct letter *l = CONTAINER_OF(p, struct letter, post);

    note(l->c);
    if (++l->c > 'e')
        loop_stop(loop);
    else
        loop_post(loop, p);
}

Test(loop_tasks, a_post_may_be_posted_again_by_its_function)
{
    struct letter l = {.c = 'a', .post = {.fn = post_again}};

    loop_post(loop, &l.post);
    guard_run(loop);
    cr_assert_str_eq(trace, "abcde");
}

Test(loop_tasks, a_task_is_queued_once_and_keeps_its_place)
{
    struct letter a, b;
    struct loop_task stop;

    init_letter(&a, 'a');
    init_letter(&b, 'b');
    loop_task_init(&stop, stop_task);
    for (int i = 0; i < 2; i++) {
        loop_soon(loop, &a.task);
        loop_soon(loop, &b.task);
    }
    loop_at_turn_end(loop, &a.task);
    loop_at_turn_end(loop, &stop);
    guard_run(loop);
    cr_assert_str_eq(trace, "ab");
}

/* Two descriptors are ready in the same pass; the first one's task waits for the second.
 */
struct ready_fd {
    struct loop_fd *watch;
    int ends[2];
    struct letter *at_end;
    char c;
};

static void on_readable(void *arg, int ready)
{
    struct ready_fd *r = arg;

    cr_assert_eq(ready, LOOP_READ);
    note(r->c);
    loop_fd_want(r->watch, 0);
    loop_at_turn_end(loop, &r->at_end->task);
    loop_at_turn_end(loop, &r->at_end->task); /* queued once */
    loop_free_later(loop, note_free, &r->c);
}

static void make_ready(struct ready_fd *r, char c, struct letter *at_end)
{
    *r = (struct ready_fd){.c = c, .at_end = at_end};
    cr_assert_eq(pipe(r->ends), 0);
    cr_assert_eq(write(r->ends[1], "x", 1), 1);
    r->watch = loop_fd_create(loop, r->ends[0], on_readable, r);
    loop_fd_want(r->watch, LOOP_READ);
}

static void close_ready(struct ready_fd *r)
{
    loop_fd_destroy(r->watch);
    close(r->ends[0]);
    close(r->ends[1]);
}

static void run_with_two_ready(void)
{
    struct ready_fd first, second;
    struct letter end1, end2;
    struct loop_task stop;

    init_letter(&end1, '1');
    init_letter(&end2, '2');
    loop_task_init(&stop, stop_task);
    make_ready(&first, 'a', &end1);
    make_ready(&second, 'b', &end2);
    loop_soon(loop, &stop);
    guard_run(loop);
    close_ready(&first);
    close_ready(&second);
}

/* A turn that took long, on a busy machine, leaves some of them to the next. */
Test(loop_tasks, turn_end_comes_after_all_ready_events_and_frees_after_that)
{
    do {
        memset(trace, 0, sizeof trace);
        loop_turns_restart(loop);
        run_with_two_ready();
    } while (loop_turns(loop).longest_us >= LOOP_PACE_US);
    cr_assert(strcmp(trace, "ab12ab") == 0 || strcmp(trace, "ba21ba") == 0, "%s", trace);
}

static void note_and_chain(struct loop_task *t)
{
    struct letter *l = CONTAINER_OF(t, struct letter, task);

    note(l->c++);
    if (l->c <= 'd')
        loop_at_turn_end(loop, t);
    else
        loop_stop(loop);
}

Test(loop_tasks, a_turn_end_task_may_queue_itself_and_frees_wait_for_the_last)
{
    static char freed = 'F';
    struct letter l;

    init_letter(&l, 'a');
    l.task.fn = note_and_chain;
    loop_at_turn_end(loop, &l.task);
    loop_free_later(loop, note_free, &freed);
    guard_run(loop);
    cr_assert_str_eq(trace, "abcdF");
    cr_assert_eq(loop_turns(loop).turns, 1);
}

static void free_and_queue_free(void *ptr)
{
    static char last = 'L';

    note(*(char *)ptr);
    for (int i = 0; i < 3; i++)
        loop_free_later(loop, note_free, &last);
}

Test(loop_tasks, a_destructor_may_free_more)
{
    static char one = '1';
    struct loop_task stop;

    loop_task_init(&stop, stop_task);
    loop_at_turn_end(loop, &stop);
    loop_free_later(loop, free_and_queue_free, &one);
    guard_run(loop);
    cr_assert_str_eq(trace, "1LLL");
}

Test(loop_tasks, what_is_queued_to_be_freed_is_freed_with_the_loop)
{
    static char one = '1';

    loop_free_later(loop, free_and_queue_free, &one);
    loop_free_later(loop, free, malloc(10));
    loop_destroy(loop);
    loop = NULL;
    cr_assert_str_eq(trace, "1LLL");
}

static void soon_then_end(struct loop_task *t)
{
    struct letter *l = CONTAINER_OF(t, struct letter, task);
    static struct loop_task stop;

    note(l->c);
    loop_task_init(&stop, stop_task);
    loop_at_turn_end(loop, &stop);
}

/* Nothing else happens on the loop: it must not wait for events before the turn's end. */
Test(loop_tasks, a_soon_task_reaches_its_turn_end_without_an_event)
{
    struct letter l;

    init_letter(&l, 'a');
    l.task.fn = soon_then_end;
    loop_soon(loop, &l.task);
    guard_run(loop);
    cr_assert_str_eq(trace, "a");
}

Test(loop_tasks, a_cancelled_task_does_not_run)
{
    struct letter a, b;
    struct loop_task stop;

    init_letter(&a, 'a');
    init_letter(&b, 'b');
    loop_task_init(&stop, stop_task);
    loop_soon(loop, &a.task);
    loop_at_turn_end(loop, &b.task);
    loop_task_cancel(&a.task);
    loop_task_cancel(&b.task);
    loop_task_cancel(&b.task);
    loop_at_turn_end(loop, &stop);
    guard_run(loop);
    cr_assert_str_eq(trace, "");
}

static int rounds;

static void soon_for_ever(struct loop_task *t)
{
    rounds++;
    loop_soon(loop, t);
}

static void turn_end_for_ever(struct loop_task *t)
{
    rounds++;
    loop_at_turn_end(loop, t);
}

static void on_readable_stop(void *arg, int ready)
{
    (void)arg, (void)ready;
    loop_stop(loop);
}

/* A task that queues itself without end: a descriptor that becomes ready is still seen.
 */
static void assert_io_is_seen(void (*fn)(struct loop_task *),
                              void (*queue)(struct loop *, struct loop_task *))
{
    struct loop_task task;
    struct loop_fd *fd;
    int ends[2];

    cr_assert_eq(pipe(ends), 0);
    cr_assert_eq(write(ends[1], "x", 1), 1);
    fd = loop_fd_create(loop, ends[0], on_readable_stop, NULL);
    loop_fd_want(fd, LOOP_READ);
    loop_task_init(&task, fn);
    queue(loop, &task);
    guard_run(loop);
    cr_assert_gt(rounds, 0);
    loop_task_cancel(&task);
    loop_fd_destroy(fd);
    close(ends[0]);
    close(ends[1]);
}

Test(loop_tasks, soon_tasks_do_not_starve_io)
{
    assert_io_is_seen(soon_for_ever, loop_soon);
}

Test(loop_tasks, turn_end_tasks_do_not_starve_io)
{
    assert_io_is_seen(turn_end_for_ever, loop_at_turn_end);
}

Test(loop_tasks, a_loop_can_run_again_after_a_stop)
{
    struct loop_task stop;

    loop_task_init(&stop, stop_task);
    for (int i = 0; i < 3; i++) {
        loop_at_turn_end(loop, &stop);
        guard_run(loop);
    }
}
