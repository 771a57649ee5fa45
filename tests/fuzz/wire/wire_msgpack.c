// SPDX-License-Identifier: Apache-2.0
/* Any bytes as msgpack: what decodes, encodes, decodes and encodes to the same bytes. */
#include "tests/fuzz/wire/fuzz.h"

static void encode_and_decode_again(struct arena *a, const struct wire_msg *m,
                                    const void *in)
{
    void *again = arena_alloc(a, m->size);
    struct buf first, second;

    buf_init(&first, FUZZ_BUF_MAX);
    buf_init(&second, FUZZ_BUF_MAX);
    wire_to_msgpack(&first, m, in);
    FUZZ_ASSERT(!wire_from_msgpack(a, m, buf_view(&first), again));
    wire_to_msgpack(&second, m, again);
    FUZZ_ASSERT(str_eq(buf_view(&first), buf_view(&second)));
    buf_fini(&first);
    buf_fini(&second);
}

/* The cursor alone: skipping and stepping agree on where a scalar ends. */
static void walk(struct str bytes)
{
    const uint8_t *p = (const uint8_t *)bytes.p;
    struct mp_reader step = {p, p + bytes.n}, skip = step;
    struct mp_value v;

    while (mp_next(&step, &v)) {
        bool skipped = mp_skip(&skip);

        FUZZ_ASSERT(step.p <= step.end && skip.p <= skip.end);
        if (v.type == MP_ARRAY || v.type == MP_MAP)
            skip = step;
        else
            FUZZ_ASSERT(skipped && skip.p == step.p);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct wire_msg *m = fuzz_message(data, &size);
    const struct err *e;
    struct str bytes;
    struct arena a;
    void *out;

    if (!m)
        return 0;
    arena_init(&a);
    bytes = (struct str){(const char *)data + 1, size};
    walk(bytes);
    out = arena_alloc(&a, m->size);
    e = wire_from_msgpack(&a, m, bytes, out);
    if (e) {
        fuzz_check_err(e);
    } else {
        FUZZ_ASSERT(!wire_validate(&a, m, out));
        encode_and_decode_again(&a, m, out);
    }
    arena_fini(&a);
    return 0;
}
