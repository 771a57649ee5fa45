// SPDX-License-Identifier: Apache-2.0
/*
 * What the tests of kit/wire share: an arena that lives as long as the test.
 *
 *     ARENA_SUITE(name)     defines `arena` and the suite
 */
#ifndef TESTS_UNIT_KIT_WIRE_ARENA_SUITE_H
#define TESTS_UNIT_KIT_WIRE_ARENA_SUITE_H

#include "tests/support/wire/sample.h"

#include <criterion/criterion.h>

#define ARENA_SUITE(name)      \
    static struct arena arena; \
    static void setup(void)    \
    {                          \
        arena_init(&arena);    \
    }                          \
    static void teardown(void) \
    {                          \
        arena_fini(&arena);    \
    }                          \
    TestSuite(name, .init = setup, .fini = teardown)

/* A document and what is said about it (sample_told). */
struct told_case {
    const char *in, *told;
};

#define EACH_CASE(c, cases)                   \
    for (const struct told_case *c = (cases); \
         c < (cases) + sizeof(cases) / sizeof *(cases); c++)

#endif
