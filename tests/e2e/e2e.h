// SPDX-License-Identifier: Apache-2.0
/* What all end-to-end cases share: the running stack, a client, checks of problem
 * answers. */
#ifndef TESTS_E2E_E2E_H
#define TESTS_E2E_E2E_H

#include "kit/base/id.h"
#include "tests/support/stack/api.h"

#include <criterion/criterion.h>

/* The client of the running case; use E2E_SUITE. */
extern struct api *const api;

void e2e_open(void);
void e2e_close(void);
#define E2E_SUITE(name) TestSuite(name, .init = e2e_open, .fini = e2e_close)

/* Of the seeded administrator. */
const char *admin_token(void);

/* An RFC 9457 answer with this status and code. */
#define assert_problem(seen, want_status, want_code)                                \
    do {                                                                            \
        const struct answer got_ = (seen);                                          \
        const char *code_ = answer_get(api, &got_, "/code");                        \
        cr_assert_eq(got_.status, want_status, "%d: %s", got_.status, got_.body.p); \
        cr_assert(str_eq(answer_header(&got_, "content-type"),                      \
                         STR("application/problem+json")));                         \
        cr_assert(code_ &&strcmp(code_, want_code) == 0, "%s", got_.body.p);        \
        cr_assert_not_null(answer_get(api, &got_, "/title"));                       \
        cr_assert_not_null(answer_get(api, &got_, "/request_id"));                  \
    } while (0)

#define assert_status(seen, want)                                                  \
    do {                                                                           \
        const struct answer got_ = (seen);                                         \
        cr_assert_eq(got_.status, want, "%d instead of %d: %s", got_.status, want, \
                     got_.body.p);                                                 \
    } while (0)

#define assert_text(a, pointer, want)                                    \
    do {                                                                 \
        const char *text_ = answer_get(api, &(a), pointer);              \
        cr_assert(text_ &&strcmp(text_, want) == 0, "%s is %s", pointer, \
                  text_ ? text_ : "absent");                             \
    } while (0)

/* Is one of the bad fields this one? */
bool names_field(const struct answer *a, const char *pointer);

/* A product of its own with this stock; its id. */
const char *new_product(const char *admin, int stock);
/* The answer to ordering one product. */
struct answer order_one(struct api *client, const char *token, const char *product,
                        int quantity);

#endif
