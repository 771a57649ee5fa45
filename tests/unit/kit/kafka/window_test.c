// SPDX-License-Identifier: Apache-2.0
/* The low-water mark of one partition. */
#include "kit/kafka/window.h"

#include <criterion/criterion.h>

static struct kafka_window w;

static void begin(void)
{
    kafka_window_init(&w);
}

static void end(void)
{
    kafka_window_fini(&w);
}

TestSuite(window, .init = begin, .fini = end);

Test(window, moves_with_each_message_done_in_order)
{
    struct kafka_slot *a = kafka_window_open(&w, 10), *b = kafka_window_open(&w, 11);

    cr_expect_eq(kafka_window_done(&w, a), 11);
    cr_expect_eq(kafka_window_done(&w, b), 12);
    cr_expect_eq(w.count, 0u);
}

Test(window, waits_for_the_oldest_message)
{
    struct kafka_slot *a = kafka_window_open(&w, 10), *b = kafka_window_open(&w, 11),
                      *c = kafka_window_open(&w, 12);

    cr_expect_eq(kafka_window_done(&w, c), -1);
    cr_expect_eq(kafka_window_done(&w, b), -1);
    cr_expect_eq(w.count, 3u, "done ones are remembered");
    cr_expect_eq(kafka_window_done(&w, a), 13, "all three at once");
    cr_expect_eq(w.count, 0u);
}

Test(window, passes_gaps_between_offsets)
{
    struct kafka_slot *a = kafka_window_open(&w, 10), *b = kafka_window_open(&w, 40);

    cr_expect_eq(kafka_window_done(&w, a), 11);
    cr_expect_eq(kafka_window_done(&w, b), 41);
}

Test(window, stops_at_the_first_open_message)
{
    struct kafka_slot *a = kafka_window_open(&w, 1), *b = kafka_window_open(&w, 2);
    struct kafka_slot *c = kafka_window_open(&w, 3);

    cr_expect_eq(kafka_window_done(&w, c), -1);
    cr_expect_eq(kafka_window_done(&w, a), 2);
    cr_expect_eq(w.count, 2u);
    cr_expect_eq(kafka_window_done(&w, b), 4);
}
