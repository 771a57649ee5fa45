// SPDX-License-Identifier: Apache-2.0
/*
 * Nanoseconds per operation of kit/wire on a user of about 200 bytes. Each figure is the
 * best of several rounds: the host's other load only ever adds.
 */
#include "kit/base/clock.h"
#include "tests/support/wire/sample.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 10, TURNS = 50000, BUF_MAX_BYTES = 1 << 16 };

struct bench {
    struct sample_user user;
    struct buf msgpack, json, out;
    bool failed;
};

static void encode(struct bench *b)
{
    buf_reset(&b->out);
    wire_to_msgpack(&b->out, &sample_user_msg, &b->user);
}

static void write_json(struct bench *b)
{
    buf_reset(&b->out);
    wire_to_json(&b->out, &sample_user_msg, &b->user);
}

static void transcode(struct bench *b)
{
    struct arena a;

    arena_init(&a);
    buf_reset(&b->out);
    if (wire_msgpack_to_json(&a, &sample_user_msg, buf_view(&b->msgpack), &b->out))
        b->failed = true;
    arena_fini(&a);
}

static void decode(struct bench *b)
{
    struct sample_user user = {0};
    struct arena a;

    arena_init(&a);
    if (wire_from_msgpack(&a, &sample_user_msg, buf_view(&b->msgpack), &user))
        b->failed = true;
    arena_fini(&a);
}

static void parse_json(struct bench *b)
{
    struct sample_user user = {0};
    struct arena a;

    arena_init(&a);
    if (wire_from_json(&a, &sample_user_msg, buf_view(&b->json), &user))
        b->failed = true;
    arena_fini(&a);
}

static void validate(struct bench *b)
{
    struct arena a;

    arena_init(&a);
    if (wire_validate(&a, &sample_user_msg, &b->user))
        b->failed = true;
    arena_fini(&a);
}

static double best_ns(struct bench *b, void (*run)(struct bench *b))
{
    double best = 1e9;

    for (int round = 0; round < ROUNDS; round++) {
        int64_t start = clock_mono_us();
        double ns;

        for (int turn = 0; turn < TURNS; turn++)
            run(b);
        ns = (double)(clock_mono_us() - start) * 1000 / TURNS;
        if (ns < best)
            best = ns;
    }
    return best;
}

static void prepare(struct bench *b)
{
    *b = (struct bench){.user = sample_user_full()};
    buf_init(&b->msgpack, BUF_MAX_BYTES);
    buf_init(&b->json, BUF_MAX_BYTES);
    buf_init(&b->out, BUF_MAX_BYTES);
    wire_to_msgpack(&b->msgpack, &sample_user_msg, &b->user);
    wire_to_json(&b->json, &sample_user_msg, &b->user);
}

int main(void)
{
    static const struct {
        const char *name;
        void (*run)(struct bench *b);
    } rows[] = {
        {"struct to msgpack", encode},  {"struct to JSON", write_json},
        {"msgpack to JSON", transcode}, {"msgpack to struct", decode},
        {"JSON to struct", parse_json}, {"validate a struct", validate},
    };
    struct bench b;

    prepare(&b);
    printf("a user of %zu bytes in msgpack, %zu in JSON\n", b.msgpack.n, b.json.n);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        printf("%-18s %6.0f ns\n", rows[i].name, best_ns(&b, rows[i].run));
    buf_fini(&b.msgpack);
    buf_fini(&b.json);
    buf_fini(&b.out);
    return b.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
