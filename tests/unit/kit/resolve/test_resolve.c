// SPDX-License-Identifier: Apache-2.0
/* Names that every machine knows, and one that none may have (RFC 6761). */
#include "kit/resolve/resolve.h"

#include "tests/support/live/live.h"

#include <criterion/criterion.h>
#include <unistd.h>

struct heard {
    int times;
    struct resolve_answer answer;
};

static void on_answer(void *arg, const struct resolve_answer *answer)
{
    struct heard *h = arg;

    h->times++;
    h->answer = *answer;
}

static bool heard(void *arg)
{
    return ((struct heard *)arg)->times > 0;
}

Test(resolve, knows_what_has_to_be_asked)
{
    static const char *const numeric[] = {"127.0.0.1",       "::1", "fe80::1",
                                          "/run/postgresql", "",    "@x"};

    for (size_t i = 0; i < sizeof numeric / sizeof *numeric; i++)
        cr_expect_not(resolve_needed(numeric[i]), "%s", numeric[i]);
    cr_expect_not(resolve_needed(NULL));
    cr_expect(resolve_needed("localhost"));
    cr_expect(resolve_needed("postgres.example"));
    cr_expect(resolve_needed("1.2.3.4.example"));
}

static bool is_loopback(const struct resolve_host *h)
{
    for (unsigned i = 0; i < h->n; i++)
        if (strcmp(h->address[i], "127.0.0.1") == 0 || strcmp(h->address[i], "::1") == 0)
            return true;
    return false;
}

Test(resolve, answers_in_the_order_of_the_question)
{
    const char *const names[] = {"no-such-host.invalid", "localhost"};
    struct loop *l = loop_create();
    struct heard h = {0};

    cr_assert_not_null(resolve_start(l, names, 2, on_answer, &h));
    cr_assert_eq(h.times, 0);
    cr_assert(live_until(l, heard, &h));
    cr_expect_eq(h.times, 1);
    cr_assert_eq(h.answer.n, 2u);
    cr_expect_str_eq(h.answer.host[0].name, "no-such-host.invalid");
    cr_expect_eq(h.answer.host[0].n, 0u);
    cr_expect(is_loopback(&h.answer.host[1]));
    loop_destroy(l);
}

Test(resolve, says_nothing_after_a_cancel)
{
    const char *const names[] = {"localhost"};
    struct loop *l = loop_create();
    struct heard h = {0}, last = {0};

    for (int i = 0; i < 20; i++) {
        struct resolve *r = resolve_start(l, names, 1, on_answer, &h);

        cr_assert_not_null(r);
        if (i % 2)
            usleep(1000); /* its answer may be on the way already */
        resolve_cancel(r);
    }
    cr_assert_not_null(resolve_start(l, names, 1, on_answer, &last));
    cr_assert(live_until(l, heard, &last));
    cr_expect_eq(h.times, 0);
    loop_destroy(l);
}

Test(resolve, refuses_what_is_out_of_bounds)
{
    static char name[RESOLVE_NAME_MAX + 1];
    const char *const long_name[] = {name};
    const char *const many[RESOLVE_HOSTS_MAX + 1] = {"a", "b", "c", "d", "e",
                                                     "f", "g", "h", "i"};
    struct loop *l = loop_create();

    memset(name, 'x', RESOLVE_NAME_MAX);
    cr_expect_null(resolve_start(l, long_name, 1, on_answer, NULL));
    cr_expect_null(resolve_start(l, many, RESOLVE_HOSTS_MAX + 1, on_answer, NULL));
    loop_destroy(l);
}
