// SPDX-License-Identifier: Apache-2.0
/* Any bytes as JSON: what is taken is valid, and writing and reading it again loses
 * nothing. */
#include "tests/fuzz/wire/fuzz.h"

static void write_and_read_again(struct arena *a, const struct wire_msg *m,
                                 const void *in)
{
    void *again = arena_alloc(a, m->size);
    struct buf first, second;

    buf_init(&first, FUZZ_BUF_MAX);
    buf_init(&second, FUZZ_BUF_MAX);
    wire_to_json(&first, m, in);
    FUZZ_ASSERT(!wire_from_json(a, m, buf_view(&first), again));
    wire_to_json(&second, m, again);
    FUZZ_ASSERT(str_eq(buf_view(&first), buf_view(&second)));
    buf_fini(&first);
    buf_fini(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct wire_msg *m = fuzz_message(data, &size);
    const struct err *e;
    struct arena a;
    void *out;

    if (!m)
        return 0;
    arena_init(&a);
    out = arena_alloc(&a, m->size);
    e = wire_from_json(&a, m, (struct str){(const char *)data + 1, size}, out);
    if (e) {
        fuzz_check_err(e);
    } else {
        FUZZ_ASSERT(!wire_validate(&a, m, out));
        write_and_read_again(&a, m, out);
    }
    arena_fini(&a);
    return 0;
}
