// SPDX-License-Identifier: Apache-2.0
/* Any bytes as parameters: lines of name=value, those that begin with "/" in the path. */
#include "tests/fuzz/wire/fuzz.h"

enum { PARAMS_MAX = 100 };

static size_t cut(struct str text, struct wire_param *params)
{
    size_t n = 0;

    while (text.n > 0 && n < PARAMS_MAX) {
        struct wire_param *p = params + n++;
        struct str line = str_split(text, '\n', &text);

        p->in_path = line.n > 0 && line.p[0] == '/';
        if (p->in_path)
            line = (struct str){line.p + 1, line.n - 1};
        p->name = str_split(line, '=', &p->value);
    }
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct wire_msg *m = fuzz_message(data, &size);
    struct wire_param params[PARAMS_MAX];
    const struct err *e;
    struct arena a;
    void *out;
    size_t n;

    if (!m)
        return 0;
    arena_init(&a);
    out = arena_alloc(&a, m->size);
    n = cut((struct str){(const char *)data + 1, size}, params);
    e = wire_from_params(&a, m, params, n, out);
    if (e)
        fuzz_check_err(e);
    else
        FUZZ_ASSERT(!wire_validate(&a, m, out));
    arena_fini(&a);
    return 0;
}
