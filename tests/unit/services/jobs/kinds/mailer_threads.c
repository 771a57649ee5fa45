// SPDX-License-Identifier: Apache-2.0
/*
 * Mails to a server of ours, which may hold back its answer to the end of a mail's data:
 * there libcurl waits without giving its thread back. The loop goes on meanwhile, a flow
 * that ends frees the thread, and connections are used again. For the thread sanitizer
 * too.
 */
#include "jobs/kinds/mailer.h"

#include "kit/base/mem.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* PATIENCE_S is less than the 30 s of a send that nobody ends. */
enum { MANY = 120, AT_ONCE = 12, THREADS = 8, TICK_MS = 10, PATIENCE_S = 25 };

static void check(bool ok, const char *what)
{
    if (!ok)
        mem_die("not so: %s", what);
}

/* ---- the server ------------------------------------------------------------------ */

static int listener;
static atomic_int connections, holding, taken;
static sem_t gate; /* opened: one held answer is given */

static const struct {
    const char *verb, *answer;
} answers[] = {
    {"EHLO", "250 here\r\n"},  {"MAIL", "250 ok\r\n"},  {"RCPT", "250 ok\r\n"},
    {"DATA", "354 go on\r\n"}, {"QUIT", "221 bye\r\n"},
};

static void answer(FILE *peer, const char *line, bool *held)
{
    if (strncmp(line, "RCPT", 4) == 0)
        *held = strstr(line, "held") != NULL;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
        if (strncmp(line, answers[i].verb, 4) == 0)
            (void)fputs(answers[i].answer, peer);
}

static void end_of_data(FILE *peer, bool held)
{
    if (held) {
        atomic_fetch_add(&holding, 1);
        sem_wait(&gate);
    }
    atomic_fetch_add(&taken, 1);
    (void)fputs("250 taken\r\n", peer);
}

static void *serve(void *arg)
{
    FILE *peer = arg;
    char line[1024];
    bool held = false, in_data = false;

    (void)fputs("220 hello\r\n", peer);
    while (fflush(peer) == 0 && fgets(line, sizeof line, peer)) {
        if (!in_data)
            answer(peer, line, &held);
        else if (strcmp(line, ".\r\n") == 0)
            end_of_data(peer, held);
        in_data = in_data ? strcmp(line, ".\r\n") != 0 : strncmp(line, "DATA", 4) == 0;
    }
    (void)fclose(peer);
    return NULL;
}

static void *serve_all(void *arg)
{
    int fd;

    while ((fd = accept(listener, NULL, NULL)) >= 0) {
        FILE *peer = fdopen(fd, "r+");
        pthread_t thread;

        atomic_fetch_add(&connections, 1);
        check(peer && pthread_create(&thread, NULL, serve, peer) == 0, "a thread");
        pthread_detach(thread);
    }
    return arg;
}

static int listen_somewhere(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001)};
    socklen_t n = sizeof at;
    pthread_t thread;

    listener = socket(AF_INET, SOCK_STREAM, 0);
    check(bind(listener, (struct sockaddr *)&at, n) == 0 && listen(listener, 64) == 0 &&
              getsockname(listener, (struct sockaddr *)&at, &n) == 0 &&
              pthread_create(&thread, NULL, serve_all, NULL) == 0,
          "a server");
    pthread_detach(thread);
    return ntohs(at.sin_port);
}

/* ---- flows ----------------------------------------------------------------------- */

static struct loop *loop;
static struct mailer *mailer;
static struct flow *flows[MANY]; /* NULL: ended */
static int started, ended, delivered;

static enum step step_sent(struct flow *f)
{
    const struct err *err = mail_sent(f, *(struct mail_send **)f->state);

    return err ? flow_fail(f, err) : flow_done(f);
}

static enum step step_send(struct flow *f)
{
    const struct mail_envelope mail = {STR("shop@example.com"), str_of(f->owner),
                                       STR("Subject: tea\r\n\r\nGreen.\r\n")};

    f->state = arena_alloc(&f->arena, sizeof(struct mail_send *));
    return mail_send(f, mailer, &mail, f->state, step_sent);
}

static void on_end(struct flow *f, const struct err *err)
{
    for (int i = 0; i < started; i++)
        if (flows[i] == f)
            flows[i] = NULL;
    ended++;
    delivered += !err;
    check(!err || err->code == &ERR_CODE_CANCELLED, "no send fails of itself");
}

static void start(const char *to)
{
    struct flow *f = flow_create(loop, PATIENCE_S * 1000L, on_end, (void *)(uintptr_t)to);

    flows[started++] = f;
    flow_start(f, step_send);
}

static void keep_busy(const char *to)
{
    while (started < MANY && started - ended < AT_ONCE)
        start(to);
}

static void cancel(int i)
{
    if (flows[i])
        flow_cancel(flows[i], ERR_STATIC(CANCELLED));
}

/* ---- cases ----------------------------------------------------------------------- */

static bool (*over)(void); /* asked every tick */

static void tick(struct loop_timer *t)
{
    if (over())
        loop_stop(loop);
    else
        loop_timer_set(t, TICK_MS);
}

static void run_until(bool (*is_over)(void))
{
    struct loop_timer timer;

    over = is_over;
    loop_timer_init(&timer, loop, tick);
    loop_timer_set(&timer, 0);
    loop_run(loop);
}

/* Only the loop opens the gate, so it must turn while the server holds its answer. */
static bool held_is_over(void)
{
    if (atomic_exchange(&holding, 0) > 0)
        sem_post(&gate);
    return ended == 1;
}

static void the_loop_turns_while_the_server_thinks(void)
{
    start("held@example.com");
    run_until(held_is_over);
    check(delivered == 1, "the held mail is delivered");
}

static bool many_are_over(void)
{
    keep_busy("ada@example.com");
    return ended == MANY;
}

static void connections_are_used_again(void)
{
    run_until(many_are_over);
    check(delivered == MANY && atomic_load(&taken) == MANY, "each mail is sent once");
    check(atomic_load(&connections) <= THREADS, "a connection for each thread");
}

static bool some_are_over(void)
{
    keep_busy("ada@example.com");
    for (int i = started % 2; i < started; i += 2)
        cancel(i);
    return ended == MANY;
}

static void a_flow_may_end_at_any_moment(void)
{
    run_until(some_are_over);
    check(atomic_load(&taken) >= delivered, "what is delivered was taken");
}

static bool threads_are_held(void)
{
    return atomic_load(&holding) == THREADS;
}

static bool all_are_over(void)
{
    return ended == started;
}

/* What was queued behind them goes out, and not on their connections, where answers to
 * their mails are still to come. */
static void a_flow_that_ends_frees_its_thread(void)
{
    for (int i = 0; i < THREADS; i++)
        start("held@example.com");
    start("ada@example.com");
    run_until(threads_are_held);
    for (int i = 0; i < THREADS; i++)
        cancel(i);
    check(ended == THREADS, "they end at once");
    run_until(all_are_over);
    check(delivered == 1, "the queued mail is delivered");
}

static void run(void (*test)(void), const char *url)
{
    atomic_store(&connections, 0);
    atomic_store(&holding, 0);
    atomic_store(&taken, 0);
    started = ended = delivered = 0;
    loop = loop_create();
    mailer = mailer_create(&(struct mailer_conf){.url = url});
    test();
    mailer_destroy(mailer);
    loop_destroy(loop);
}

int main(void)
{
    char url[64];

    alarm(PATIENCE_S);
    (void)sem_init(&gate, 0, 0);
    (void)snprintf(url, sizeof url, "smtp://127.0.0.1:%d", listen_somewhere());
    run(the_loop_turns_while_the_server_thinks, url);
    run(connections_are_used_again, url);
    run(a_flow_may_end_at_any_moment, url);
    run(a_flow_that_ends_frees_its_thread, url);
    return EXIT_SUCCESS;
}
