// SPDX-License-Identifier: Apache-2.0
/* Replies in pieces: back-pressure, ends of every kind, and peers that break the rules.
 */
#include "kit/rpc/stream.h"
#include "tests/support/rpc/raw.h"
#include "tests/support/rpc/rig.h"

#include <criterion/criterion.h>
#include <nng/protocol/reqrep0/rep.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static struct rig_server *server;

static void start(void)
{
    rig_init();
    server = rig_server_start(&(struct rig_conf){.url = "tcp://127.0.0.1:0", .loops = 2});
    rig_connect(rig_server_url(server));
}

static void stop(void)
{
    struct rig_outcome o;

    rig_do(&(struct rig_call){.method = &RIG_ECHO, .text = "alive"}, &o);
    cr_assert_str_eq(o.text, "alive");
    rig_disconnect();
    rig_server_stop(server);
}

TestSuite(rpc_streams, .init = start, .fini = stop);

/* Without that service. */
static void init_only(void)
{
    rig_init();
}

TestSuite(rpc_streams_alone, .init = init_only);

static bool has_some(void *count)
{
    return atomic_load((atomic_uint *)count) > 0;
}

static bool at_once(void *unused)
{
    (void)unused;
    return true;
}

/* Of the caller's loop. */
static void turn(void)
{
    cr_assert(rig_until(at_once, NULL));
}

/* ---- reading ---------------------------------------------------------------- */

Test(rpc_streams, every_chunk_comes_in_its_order)
{
    struct rig_outcome o;

    rig_do(&(struct rig_call){.method = &RIG_STREAM, .number = 1000}, &o);
    cr_assert_null(o.code);
    cr_assert_eq(o.chunks, 1000u);
    cr_assert_eq(atomic_load(&rig_counts->chunks), 1000u);
    cr_assert_eq(atomic_load(&rig_counts->done), 1u);
}

Test(rpc_streams, one_without_chunks_is_an_ordinary_answer)
{
    struct rig_outcome o;

    rig_do(&(struct rig_call){.method = &RIG_STREAM, .number = 0}, &o);
    cr_assert_null(o.code);
    cr_assert_eq(o.chunks, 0u);
    rig_do(&(struct rig_call){.method = &RIG_STREAM, .number = 0, .text = "fail"}, &o);
    cr_assert_eq(o.code, &RIG_OUT_OF_STOCK);
}

/* 0 under the address sanitizer, which keeps what was freed. */
static long peak_kib(void)
{
#ifdef __SANITIZE_ADDRESS__
    return 0;
#else
    FILE *f = fopen("/proc/self/status", "re");
    char line[200];
    long kib = 0;

    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "VmHWM: %ld", &kib) == 1)
            break;
    if (f)
        fclose(f);
    return kib;
#endif
}

/* Service and caller are both in this process, and 60 MB go through. */
Test(rpc_streams, a_slow_reader_costs_constant_memory)
{
    struct rig_outcome o, echo;
    long before;

    rig_do(&(struct rig_call){.method = &RIG_STREAM, .number = 50}, &o);
    atomic_store(&rig_counts->chunks, 0);
    before = peak_kib();
    rig_begin(&(struct rig_call){.method = &RIG_STREAM, .number = 1000, .pause_ms = 1},
              &o);
    while (!o.ended) {
        rig_begin(&(struct rig_call){.method = &RIG_ECHO, .text = "between"}, &echo);
        while (!echo.ended)
            turn();
        cr_assert_leq(atomic_load(&rig_counts->chunks), o.chunks + RPC_STREAM_WINDOW + 1);
    }
    cr_assert_eq(o.chunks, 1000u);
    cr_assert_lt(peak_kib() - before, 8 << 10);
}

static bool has_read_one(void *o)
{
    return ((struct rig_outcome *)o)->chunks == 1;
}

static bool wrote(void *n)
{
    return atomic_load(&rig_counts->chunks) == *(unsigned *)n;
}

Test(rpc_streams, a_reader_that_stops_reading_stops_the_writer)
{
    unsigned window = RPC_STREAM_WINDOW;
    struct rig_outcome o;

    rig_begin(
        &(struct rig_call){.method = &RIG_STREAM, .number = 1000, .pause_ms = 60000}, &o);
    cr_assert(rig_until(has_read_one, &o));
    cr_assert(rig_until(wrote, &window));
    for (int i = 0; i < 50; i++) {
        struct rig_outcome echo;

        rig_begin(&(struct rig_call){.method = &RIG_ECHO, .text = "between"}, &echo);
        while (!echo.ended)
            turn();
    }
    cr_assert_eq(atomic_load(&rig_counts->chunks), window);
    cr_assert_eq(o.chunks, 1u);
    flow_cancel(o.flow, ERR_STATIC(CANCELLED));
    cr_assert(rig_until(has_some, &rig_counts->cut_off));
}

/* ---- ends ------------------------------------------------------------------- */

Test(rpc_streams, an_error_comes_after_the_chunks_before_it)
{
    struct rig_outcome o;

    rig_do(&(struct rig_call){.method = &RIG_STREAM, .number = 30, .text = "fail"}, &o);
    cr_assert_eq(o.code, &RIG_OUT_OF_STOCK);
    cr_assert_eq(o.chunks, 30u);
    cr_assert_str_eq(o.fields, "/items/0: wants 5; /items/1: wants 7; ");
}

Test(rpc_streams, a_reader_that_has_enough_ends_the_writer)
{
    struct rig_outcome o;

    rig_do(&(struct rig_call){.method = &RIG_STREAM, .number = 1000, .most = 10}, &o);
    cr_assert_null(o.code);
    cr_assert(rig_until(has_some, &rig_counts->cut_off));
    cr_assert_leq(atomic_load(&rig_counts->chunks), 10u + RPC_STREAM_WINDOW);
}

Test(rpc_streams, the_deadline_ends_both_sides)
{
    struct rig_outcome o;

    rig_do(
        &(struct rig_call){
            .method = &RIG_STREAM, .number = 3, .text = "hang", .timeout_ms = 3000},
        &o);
    cr_assert_eq(o.code, &ERR_CODE_DEADLINE);
    cr_assert_eq(o.chunks, 3u);
    cr_assert(rig_until(has_some, &rig_counts->cut_off));
}

static bool has_read_three(void *o)
{
    return ((struct rig_outcome *)o)->chunks == 3;
}

/* A retry would begin with the first chunk again. */
Test(rpc_streams_alone, a_lost_connection_ends_it_with_an_error)
{
    struct rig_outcome o;
    char one[200], two[200], urls[401];
    pid_t pids[2];

    pids[0] = rig_spawn(&(struct rig_conf){.url = rig_ipc("a"), .loops = 1}, one, 200);
    pids[1] = rig_spawn(&(struct rig_conf){.url = rig_ipc("b"), .loops = 1}, two, 200);
    snprintf(urls, sizeof urls, "%s,%s", one, two);
    rig_connect(urls);
    rig_begin(&(struct rig_call){.method = &RIG_STREAM, .number = 3, .text = "hang"}, &o);
    cr_assert(rig_until(has_read_three, &o));
    kill(pids[0], SIGKILL);
    kill(pids[1], SIGKILL);
    cr_assert(rig_until(rig_all_ended, NULL));
    cr_assert_eq(o.code, &ERR_CODE_UNAVAILABLE);
    cr_assert_eq(o.chunks, 3u);
    cr_assert_eq(atomic_load(&rig_counts->begun), 1u);
    rig_reap(pids[0]);
    rig_reap(pids[1]);
    rig_disconnect();
}

static bool one_ended(void *unused)
{
    (void)unused;
    return rig_running == RPC_STREAMS_MAX;
}

static bool all_cut_off(void *unused)
{
    (void)unused;
    return atomic_load(&rig_counts->cut_off) == RPC_STREAMS_MAX + 1;
}

Test(rpc_streams_alone, more_than_a_connection_may_have_are_refused)
{
    static struct rig_outcome o[RPC_STREAMS_MAX + 1];
    const struct rig_call endless = {.method = &RIG_STREAM, .number = 1, .text = "hang"};

    server = rig_server_start(&(struct rig_conf){.url = rig_ipc("one"), .loops = 1});
    rig_connect(rig_server_url(server));
    for (int i = 0; i <= RPC_STREAMS_MAX; i++)
        rig_begin(&endless, &o[i]);
    cr_assert(rig_until(one_ended, NULL));
    cr_assert(o[RPC_STREAMS_MAX].ended);
    cr_assert_eq(o[RPC_STREAMS_MAX].code, &ERR_CODE_SHED);
    for (int i = 0; i < RPC_STREAMS_MAX; i++)
        flow_cancel(o[i].flow, ERR_STATIC(CANCELLED));
    cr_assert(rig_until(all_cut_off, NULL));
    rig_begin(&(struct rig_call){.method = &RIG_STREAM, .number = 1}, &o[0]);
    cr_assert(rig_until(rig_all_ended, NULL));
    cr_assert_null(o[0].code);
    rig_disconnect();
    rig_server_stop(server);
}

/* ---- peers that break the rules --------------------------------------------- */

/* Connected by hand, with a stream of 1000 chunks under way. */
static nng_socket raw_reader(uint32_t *session)
{
    const struct rpc_frame call = {.type = RPC_CALL,
                                   .method = RIG_STREAM.id,
                                   .call = 4096,
                                   .of_call.left_ms = 60000,
                                   .body = STR("\x82\xa4text\xa0\xa6number\xcd\x03\xe8")};
    nng_socket s = raw_open(rig_server_url(server));

    *session = raw_greet(s);
    raw_send_frame(s, *session, &call);
    return s;
}

Test(rpc_streams, absurd_credit_costs_the_connection)
{
    static const uint32_t ABSURD[] = {RPC_CREDIT_MAX + 1, 0x7fffffff, 0xffffffff};

    for (size_t i = 0; i < sizeof ABSURD / sizeof *ABSURD; i++) {
        struct rpc_frame credit = {.type = RPC_CREDIT, .call = 4096, .credit = ABSURD[i]};
        int64_t want = raw_bad_frames() + 1;
        uint32_t session;
        nng_socket s = raw_reader(&session);

        atomic_store(&rig_counts->cut_off, 0);
        raw_send_frame(s, session, &credit);
        cr_assert(rig_until(raw_bad_frames_reach, &want));
        cr_assert(rig_until(has_some, &rig_counts->cut_off));
        cr_assert_leq(atomic_load(&rig_counts->chunks),
                      (unsigned)(i + 1) * RPC_STREAM_WINDOW);
        nng_close(s);
    }
}

Test(rpc_streams, credit_for_a_call_that_is_not_there_is_nothing)
{
    struct rpc_frame credit = {.type = RPC_CREDIT, .call = 4097, .credit = 0xffffffff};
    unsigned window = RPC_STREAM_WINDOW, more = RPC_STREAM_WINDOW + 3;
    int64_t before = raw_bad_frames();
    uint32_t session;
    nng_socket s = raw_reader(&session);

    cr_assert(rig_until(wrote, &window));
    raw_send_frame(s, session, &credit);
    credit.call = 4096;
    credit.credit = 3;
    raw_send_frame(s, session, &credit);
    cr_assert(rig_until(wrote, &more));
    cr_assert_eq(raw_bad_frames(), before);
    nng_close(s);
}

/* A service by hand, in a thread: greets, and answers a call with chunks. */
struct wrong {
    nng_socket socket;
    unsigned chunks;
    size_t bytes; /* of each */
};

static void answer(nng_socket s, nng_msg *msg, const struct rpc_frame *f, unsigned times)
{
    struct buf b;
    char head[RPC_HEAD_LEN];

    buf_init(&b, RPC_MESSAGE_MAX);
    rpc_head_write(head, (struct rpc_head){9, 1});
    buf_str(&b, (struct str){head, sizeof head});
    for (unsigned i = 0; i < times; i++)
        rpc_frame_put(&b, f);
    nng_msg_clear(msg);
    nng_msg_append(msg, b.p, b.n);
    if (nng_sendmsg(s, msg, 0) != 0)
        nng_msg_free(msg);
    buf_fini(&b);
}

static uint32_t call_of(nng_msg *msg)
{
    struct rpc_reader reader;
    struct rpc_head head;
    struct rpc_frame f;

    if (rpc_reader_init(&reader, (struct str){nng_msg_body(msg), nng_msg_len(msg)},
                        &head) &&
        rpc_frame_read(&reader, &f) == RPC_READ_FRAME)
        return f.call;
    return 0;
}

/* Until the socket is closed. */
static void *serve_wrongly(void *arg)
{
    const struct rpc_frame hello = {
        .type = RPC_HELLO, .of_hello = {.version = 1, .session = 9, .name = STR("rig")}};
    const struct wrong *w = arg;
    char *bytes = calloc(1, w->bytes + 1);
    nng_msg *msg;

    while (nng_recvmsg(w->socket, &msg, 0) == 0) {
        struct rpc_frame chunk = {
            .type = RPC_CHUNK, .call = call_of(msg), .body = {bytes, w->bytes}};

        if (chunk.call)
            answer(w->socket, msg, &chunk, w->chunks);
        else
            answer(w->socket, msg, &hello, 1);
    }
    free(bytes);
    return NULL;
}

/* The caller must break off, and its call ends with an error. */
static void expect_break(unsigned chunks, size_t bytes, const struct rpc_method *m)
{
    struct wrong w = {.chunks = chunks, .bytes = bytes};
    const char *url = rig_ipc("wrong");
    int64_t want = raw_bad_frames() + 1;
    struct rig_outcome o;
    pthread_t thread;

    cr_assert_eq(nng_rep0_open_raw(&w.socket), 0);
    cr_assert_eq(nng_listen(w.socket, url, NULL, 0), 0);
    pthread_create(&thread, NULL, serve_wrongly, &w);
    rig_connect(url);
    rig_begin(&(struct rig_call){.method = m, .pause_ms = 60000}, &o);
    cr_assert(rig_until(raw_bad_frames_reach, &want));
    if (!o.ended)
        flow_cancel(o.flow, ERR_STATIC(CANCELLED));
    nng_close(w.socket);
    pthread_join(thread, NULL);
    rig_disconnect();
}

Test(rpc_streams_alone, more_chunks_than_granted)
{
    expect_break(RPC_STREAM_WINDOW + 2, 1, &RIG_STREAM);
}

Test(rpc_streams_alone, a_chunk_that_is_too_long)
{
    expect_break(1, RPC_CHUNK_MAX + 1, &RIG_STREAM);
}

Test(rpc_streams_alone, a_chunk_of_nothing)
{
    expect_break(1, 0, &RIG_STREAM);
}

Test(rpc_streams_alone, chunks_for_a_call_that_is_no_stream)
{
    expect_break(1, 1, &RIG_ECHO);
}
