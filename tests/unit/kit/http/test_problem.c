// SPDX-License-Identifier: Apache-2.0
/* problem+json bodies. */
#include "kit/http/errors.h"
#include "kit/http/http.h"

#include <criterion/criterion.h>

static struct str problem(struct buf *b, const struct err *e, struct str instance)
{
    buf_reset(b);
    http_problem(b, e, instance, STR("r-1"));
    return buf_view(b);
}

Test(problem, has_the_members_of_rfc_9457_and_ours)
{
    struct arena a;
    struct buf b;
    struct err *e;

    arena_init(&a);
    buf_init(&b, 4096);
    e = err_new(&a, &ERR_CODE_INVALID_FIELDS, "two of them");
    err_add_field(&a, e, STR("/items/0/quantity"), "at least %d", 1);
    err_add_field(&a, e, STR("/a\"b"), "unknown");
    cr_expect(
        str_eq(problem(&b, e, STR("/v1/orders")),
               STR("{\"type\":\"urn:viaduct:error:request.invalid\","
                   "\"title\":\"Some fields are not acceptable\",\"status\":422,"
                   "\"detail\":\"two of them\",\"instance\":\"/v1/orders\","
                   "\"code\":\"request.invalid\",\"request_id\":\"r-1\",\"errors\":["
                   "{\"pointer\":\"/items/0/quantity\",\"detail\":\"at least 1\"},"
                   "{\"pointer\":\"/a\\\"b\",\"detail\":\"unknown\"}]}")));
    buf_fini(&b);
    arena_fini(&a);
}

Test(problem, leaves_out_what_there_is_not)
{
    struct buf b;
    const struct str none = {NULL, 0};

    buf_init(&b, 4096);
    cr_expect(str_eq(problem(&b, ERR_STATIC(REQUEST_TIMEOUT), none),
                     STR("{\"type\":\"urn:viaduct:error:request.timeout\","
                         "\"title\":\"The request took too long to arrive\","
                         "\"status\":408,\"code\":\"request.timeout\","
                         "\"request_id\":\"r-1\"}")));
    buf_fini(&b);
}
