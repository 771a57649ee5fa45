// SPDX-License-Identifier: Apache-2.0
#include "kit/rpc/frame.h"

#include <criterion/criterion.h>

static struct buf b;

static void start(void)
{
    buf_init(&b, 8 << 20);
}

static void stop(void)
{
    buf_fini(&b);
}

TestSuite(rpc_frame, .init = start, .fini = stop);

static void begin_message(void)
{
    buf_reset(&b);
    rpc_head_write(buf_grow(&b, RPC_HEAD_LEN), (struct rpc_head){7, 11});
}

static enum rpc_read read_first(struct rpc_frame *f)
{
    struct rpc_reader r;
    struct rpc_head head;

    if (!rpc_reader_init(&r, buf_view(&b), &head))
        return RPC_READ_BAD;
    cr_assert_eq(head.session, 7u);
    cr_assert_eq(head.received, 11u);
    return rpc_frame_read(&r, f);
}

/* As the bytes on the page in frame.h say. */
static struct rpc_frame a_call(void)
{
    struct rpc_frame f = {.type = RPC_CALL,
                          .flags = RPC_FLAG_SAMPLED,
                          .method = 0x0201,
                          .call = 0x01020304,
                          .body = STR("\x80")};

    f.of_call.left_ms = 1500;
    memset(f.of_call.trace.trace_id, 1, 16);
    memset(f.of_call.trace.span_id, 2, 8);
    memset(f.of_call.caller.user.b, 3, 16);
    memset(f.of_call.caller.session.b, 4, 16);
    f.of_call.caller.roles = 6;
    f.of_call.request_id = STR("req");
    f.of_call.key = STR("key-1");
    return f;
}

Test(rpc_frame, a_call_arrives_as_it_was)
{
    struct rpc_frame f = a_call(), got;

    begin_message();
    rpc_frame_put(&b, &f);
    cr_assert_eq(b.n, RPC_HEAD_LEN + rpc_frame_size(&f));
    cr_assert_eq(read_first(&got), RPC_READ_FRAME);
    cr_assert_eq(got.type, RPC_CALL);
    cr_assert_eq(got.method, 0x0201);
    cr_assert_eq(got.call, 0x01020304u);
    cr_assert_eq(got.of_call.left_ms, 1500u);
    cr_assert(got.of_call.trace.sampled);
    cr_assert_arr_eq(got.of_call.trace.trace_id, f.of_call.trace.trace_id, 16);
    cr_assert_arr_eq(got.of_call.trace.span_id, f.of_call.trace.span_id, 8);
    cr_assert(uuid_eq(got.of_call.caller.user, f.of_call.caller.user));
    cr_assert(uuid_eq(got.of_call.caller.session, f.of_call.caller.session));
    cr_assert_eq(got.of_call.caller.roles, 6u);
    cr_assert(str_eq(got.of_call.request_id, STR("req")));
    cr_assert(str_eq(got.of_call.key, STR("key-1")));
    cr_assert(str_eq(got.body, STR("\x80")));
}

Test(rpc_frame, the_bytes_are_those_of_the_page)
{
    static const unsigned char WANT[] = {
        7,    0,    0,   0,    11,  0,   0,   0, /* head */
        21,   0,    0,   0,    2,   2,   0,   0,   4,
        3,    2,    1, /* length, REPLY, ERROR, call */
        0x81, 0xa1, 'a', 0xa6, 's', 't', 'r', 'i', 'n'};
    struct rpc_frame f = {.type = RPC_REPLY, .flags = RPC_FLAG_ERROR, .call = 0x01020304};

    f.body = (struct str){(const char *)WANT + 20, 9};
    begin_message();
    rpc_frame_put(&b, &f);
    cr_assert_eq(b.n, sizeof WANT);
    cr_assert_arr_eq(b.p, WANT, sizeof WANT);
}

Test(rpc_frame, absent_strings_stay_absent)
{
    struct rpc_frame f = a_call(), got;

    f.of_call.request_id = f.of_call.key = (struct str){0};
    begin_message();
    rpc_frame_put(&b, &f);
    cr_assert_eq(read_first(&got), RPC_READ_FRAME);
    cr_assert_null(got.of_call.request_id.p);
    cr_assert_null(got.of_call.key.p);
}

static const struct rpc_frame ALL[] = {
    {.type = RPC_CALL, .call = 5, .of_call.left_ms = 1},
    {.type = RPC_REPLY, .call = 5},
    {.type = RPC_CHUNK, .call = 5},
    {.type = RPC_END, .call = 5},
    {.type = RPC_CREDIT, .call = 5, .credit = 9},
    {.type = RPC_CANCEL, .call = 5},
    {.type = RPC_HELLO, .of_hello = {.version = 1, .session = 3, .name = {"users", 5}}},
    {.type = RPC_PING, .ping = 0x0102030405060708},
    {.type = RPC_PONG, .ping = 7},
    {.type = RPC_GOAWAY},
};
enum { ALL_N = sizeof ALL / sizeof *ALL };

Test(rpc_frame, frames_of_all_types_share_a_message)
{
    struct rpc_reader r;
    struct rpc_head head;
    struct rpc_frame got;

    cr_assert_eq(ALL_N, RPC_FRAME_TYPES - 1);
    begin_message();
    for (int i = 0; i < ALL_N; i++)
        rpc_frame_put(&b, &ALL[i]);
    cr_assert(rpc_reader_init(&r, buf_view(&b), &head));
    for (int i = 0; i < ALL_N; i++) {
        cr_assert_eq(rpc_frame_read(&r, &got), RPC_READ_FRAME, "type %d", ALL[i].type);
        cr_assert_eq(got.type, ALL[i].type);
        cr_assert_eq(got.call, ALL[i].call);
    }
    cr_assert_eq(rpc_frame_read(&r, &got), RPC_READ_DONE);
    cr_assert(rpc_reader_init(&r, buf_view(&b), &head));
    while (rpc_frame_read(&r, &got) == RPC_READ_FRAME)
        if (got.type == RPC_PING)
            cr_assert_eq(got.ping, 0x0102030405060708u);
        else if (got.type == RPC_CREDIT)
            cr_assert_eq(got.credit, 9u);
        else if (got.type == RPC_HELLO)
            cr_assert(got.of_hello.session == 3 && got.of_hello.version == 1 &&
                      str_eq(got.of_hello.name, STR("users")));
}

Test(rpc_frame, cut_off_anywhere_it_is_bad)
{
    struct rpc_frame f = a_call(), got;

    begin_message();
    rpc_frame_put(&b, &f);
    for (size_t n = b.n - 1; n > RPC_HEAD_LEN; n--) {
        b.n = n;
        cr_assert_eq(read_first(&got), RPC_READ_BAD, "%zu bytes", n);
    }
    b.n = RPC_HEAD_LEN;
    cr_assert_eq(read_first(&got), RPC_READ_DONE);
    b.n = RPC_HEAD_LEN - 1;
    cr_assert_eq(read_first(&got), RPC_READ_BAD);
}

/* One frame of `f`, with one byte of it changed. */
static enum rpc_read read_changed(const struct rpc_frame *f, size_t at, int byte)
{
    struct rpc_frame got;

    begin_message();
    rpc_frame_put(&b, f);
    b.p[RPC_HEAD_LEN + at] = (char)byte;
    return read_first(&got);
}

Test(rpc_frame, what_breaks_a_rule_is_bad)
{
    struct rpc_frame call = a_call();

    cr_assert_eq(read_changed(&call, 0, 11), RPC_READ_BAD, "shorter than its head");
    cr_assert_eq(read_changed(&call, 0, 255), RPC_READ_BAD, "longer than the message");
    cr_assert_eq(read_changed(&call, 3, 255), RPC_READ_BAD, "far too long");
    cr_assert_eq(read_changed(&call, 4, 0), RPC_READ_BAD, "type 0");
    cr_assert_eq(read_changed(&call, 4, RPC_FRAME_TYPES), RPC_READ_BAD, "unknown type");
    cr_assert_eq(read_changed(&call, 76, 65), RPC_READ_BAD, "request id too long");
    cr_assert_eq(read_changed(&call, 76, 20), RPC_READ_BAD, "beyond the frame");
    cr_assert_eq(read_changed(&call, 77, 255), RPC_READ_BAD, "key beyond the frame");
    cr_assert_eq(read_changed(&call, 80, 0xff), RPC_READ_BAD, "not UTF-8");
    call.of_call.left_ms = 0;
    cr_assert_eq(read_changed(&call, 5, 0), RPC_READ_BAD, "no time left");
}

Test(rpc_frame, types_without_a_body_have_none)
{
    struct rpc_frame f = {.type = RPC_CANCEL, .call = 5, .body = STR("x")};
    struct rpc_frame got;

    begin_message();
    rpc_frame_put(&b, &f);
    cr_assert_eq(read_first(&got), RPC_READ_BAD);
}

Test(rpc_frame, calls_have_an_id_and_connections_have_none)
{
    struct rpc_frame nobody = {.type = RPC_REPLY},
                     somebody = {.type = RPC_GOAWAY, .call = 1};
    struct rpc_frame got;

    begin_message();
    rpc_frame_put(&b, &nobody);
    cr_assert_eq(read_first(&got), RPC_READ_BAD);
    begin_message();
    rpc_frame_put(&b, &somebody);
    cr_assert_eq(read_first(&got), RPC_READ_BAD);
}

Test(rpc_frame, a_message_has_a_limit_of_frames)
{
    struct rpc_frame f = {.type = RPC_CANCEL, .call = 5}, got;
    struct rpc_reader r;
    struct rpc_head head;

    begin_message();
    for (int i = 0; i < RPC_MESSAGE_FRAMES_MAX + 1; i++)
        rpc_frame_put(&b, &f);
    cr_assert(rpc_reader_init(&r, buf_view(&b), &head));
    for (int i = 0; i < RPC_MESSAGE_FRAMES_MAX; i++)
        cr_assert_eq(rpc_frame_read(&r, &got), RPC_READ_FRAME);
    cr_assert_eq(rpc_frame_read(&r, &got), RPC_READ_BAD);
}

Test(rpc_frame, a_body_written_in_place_gets_its_length)
{
    struct rpc_frame f = {.type = RPC_REPLY, .call = 5}, got;
    size_t begun;

    begin_message();
    begun = rpc_frame_begin(&b, &f);
    buf_str(&b, STR("body"));
    cr_assert(rpc_frame_end(&b, begun));
    cr_assert_eq(read_first(&got), RPC_READ_FRAME);
    cr_assert(str_eq(got.body, STR("body")));
}

Test(rpc_frame, a_body_that_became_too_long_leaves_nothing)
{
    struct rpc_frame f = {.type = RPC_REPLY, .call = 5};
    size_t begun;

    begin_message();
    begun = rpc_frame_begin(&b, &f);
    buf_grow(&b, RPC_FRAME_MAX);
    cr_assert_not(rpc_frame_end(&b, begun));
    cr_assert_eq(b.n, (size_t)RPC_HEAD_LEN);
    begun = rpc_frame_begin(&b, &f);
    buf_grow(&b, RPC_FRAME_MAX - RPC_FRAME_HEAD_LEN);
    cr_assert(rpc_frame_end(&b, begun));
    buf_grow(&b, 8 << 20); /* beyond the cap of the buffer */
    begun = rpc_frame_begin(&b, &f);
    cr_assert_not(rpc_frame_end(&b, begun));
    cr_assert_not(b.failed);
}

Test(rpc_frame, batches_are_cut_at_frames)
{
    static char text[200000];
    struct rpc_frame small = {.type = RPC_CANCEL, .call = 5};
    struct rpc_frame large = {.type = RPC_REPLY, .call = 5, .body = {text, sizeof text}};
    unsigned count;

    for (int i = 0; i < 100; i++)
        rpc_frame_put(&b, &small);
    cr_assert_eq(rpc_batch_cut(buf_view(&b), &count), 64u * 12);
    cr_assert_eq(count, 64u);
    buf_reset(&b);
    for (int i = 0; i < 3; i++)
        rpc_frame_put(&b, &large);
    cr_assert_eq(rpc_batch_cut(buf_view(&b), &count), rpc_frame_size(&large));
    cr_assert_eq(count, 1u);
    cr_assert_eq(rpc_batch_cut((struct str){"", 0}, &count), 0u);
}
