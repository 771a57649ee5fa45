// SPDX-License-Identifier: Apache-2.0
/*
 * Any bytes from msgpack to JSON: what decodes, transcodes too; what was written by us
 * gives the same JSON either way; all JSON that comes out is JSON.
 */
#include "tests/fuzz/wire/fuzz.h"

/* The JSON reader finds fault with fields at most, never with the syntax. */
static void is_json(struct arena *a, const struct wire_msg *m, struct str json)
{
    const struct err *e = wire_from_json(a, m, json, arena_alloc(a, m->size));

    FUZZ_ASSERT(!e || e->code == &ERR_CODE_INVALID_FIELDS);
}

static void both_ways_agree(struct arena *a, const struct wire_msg *m, const void *in)
{
    struct buf bytes, straight, decoded;

    buf_init(&bytes, FUZZ_BUF_MAX);
    buf_init(&straight, FUZZ_BUF_MAX);
    buf_init(&decoded, FUZZ_BUF_MAX);
    wire_to_msgpack(&bytes, m, in);
    FUZZ_ASSERT(!wire_msgpack_to_json(a, m, buf_view(&bytes), &straight));
    wire_to_json(&decoded, m, in);
    FUZZ_ASSERT(str_eq(buf_view(&straight), buf_view(&decoded)));
    buf_fini(&bytes);
    buf_fini(&straight);
    buf_fini(&decoded);
}

static void transcode(struct arena *a, const struct wire_msg *m, struct str bytes)
{
    void *out = arena_alloc(a, m->size);
    struct buf json;
    const struct err *e, *decoding;

    buf_init(&json, FUZZ_BUF_MAX);
    e = wire_msgpack_to_json(a, m, bytes, &json);
    if (e)
        fuzz_check_err(e);
    else
        is_json(a, m, buf_view(&json));
    decoding = wire_from_msgpack(a, m, bytes, out);
    FUZZ_ASSERT(decoding || !e);
    if (!decoding)
        both_ways_agree(a, m, out);
    buf_fini(&json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct wire_msg *m = fuzz_message(data, &size);
    struct arena a;

    if (!m)
        return 0;
    arena_init(&a);
    transcode(&a, m, (struct str){(const char *)data + 1, size});
    arena_fini(&a);
    return 0;
}
