// SPDX-License-Identifier: Apache-2.0
/* traceparent, by the examples and rules of W3C Trace Context. */
#include "kit/obs/trace.h"

#include <criterion/criterion.h>

#define TRACE_ID "4bf92f3577b34da6a3ce929d0e0e4736"
#define SPAN_ID  "00f067aa0ba902b7"

static struct str text(const struct trace *t)
{
    static char out[TRACEPARENT_LEN];

    trace_format(t, out);
    return (struct str){out, sizeof out};
}

static bool continues(const char *header)
{
    struct trace t;

    trace_continue(&t, str_of(header));
    return memcmp(text(&t).p + 3, TRACE_ID, 32) == 0;
}

Test(trace, goes_on_with_the_callers_id_and_a_span_of_its_own)
{
    struct trace t;

    trace_continue(&t, STR("00-" TRACE_ID "-" SPAN_ID "-01"));
    cr_assert(str_starts(text(&t), STR("00-" TRACE_ID "-")));
    cr_assert(memcmp(text(&t).p + 36, SPAN_ID, 16) != 0);
    cr_assert(t.sampled);
    cr_assert(memcmp(text(&t).p + 52, "-01", 3) == 0);
}

Test(trace, keeps_that_the_caller_does_not_sample)
{
    struct trace t;

    trace_continue(&t, STR("00-" TRACE_ID "-" SPAN_ID "-00"));
    cr_assert_not(t.sampled);
    trace_continue(&t, STR("00-" TRACE_ID "-" SPAN_ID "-02"));
    cr_assert_not(t.sampled);
    trace_continue(&t, STR("00-" TRACE_ID "-" SPAN_ID "-ff"));
    cr_assert(t.sampled);
}

Test(trace, takes_what_later_versions_append)
{
    cr_assert(continues("00-" TRACE_ID "-" SPAN_ID "-01"));
    cr_assert(continues("cc-" TRACE_ID "-" SPAN_ID "-01"));
    cr_assert(continues("cc-" TRACE_ID "-" SPAN_ID "-01-what-ever"));
}

Test(trace, starts_anew_on_a_malformed_header)
{
    static const char *const BAD[] = {
        NULL,
        "",
        "00",
        "00-" TRACE_ID "-" SPAN_ID "-0",
        "00-" TRACE_ID "-" SPAN_ID "-01-more",
        "00-" TRACE_ID "-" SPAN_ID "-011",
        "cc-" TRACE_ID "-" SPAN_ID "-01.more",
        "ff-" TRACE_ID "-" SPAN_ID "-01",
        "0x-" TRACE_ID "-" SPAN_ID "-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-" SPAN_ID "-01",
        "00-" TRACE_ID "-00F067AA0BA902B7-01",
        "00-00000000000000000000000000000000-" SPAN_ID "-01",
        "00-" TRACE_ID "-0000000000000000-01",
        "00_" TRACE_ID "-" SPAN_ID "-01",
        "00-" TRACE_ID "_" SPAN_ID "-01",
        "00-" TRACE_ID "-" SPAN_ID "_01",
        "00-" TRACE_ID "-" SPAN_ID "-0g",
    };

    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        struct trace t;

        trace_continue(&t, str_of(BAD[i]));
        cr_assert(memcmp(text(&t).p + 3, TRACE_ID, 32) != 0, "%s", BAD[i]);
        cr_assert_not(t.sampled);
    }
}

Test(trace, new_ones_differ_and_can_be_continued)
{
    struct trace a, b, c;

    trace_start(&a, true);
    trace_start(&b, true);
    cr_assert(memcmp(a.trace_id, b.trace_id, sizeof a.trace_id) != 0);
    trace_continue(&c, text(&a));
    cr_assert(memcmp(a.trace_id, c.trace_id, sizeof a.trace_id) == 0);
}

Test(trace, a_child_has_its_parents_trace_and_its_own_span)
{
    struct trace parent, child;

    trace_start(&parent, true);
    trace_child(&child, &parent);
    cr_assert(memcmp(parent.trace_id, child.trace_id, sizeof parent.trace_id) == 0);
    cr_assert(memcmp(parent.span_id, child.span_id, sizeof parent.span_id) != 0);
    cr_assert(child.sampled);
}
