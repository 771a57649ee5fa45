// SPDX-License-Identifier: Apache-2.0
/* Targets: what is accepted has no second meaning left in it. */
#include "kit/http/target.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static bool has(struct str s, const char *what)
{
    return s.n > 0 && memmem(s.p, s.n, what, strlen(what)) != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str raw = {(const char *)data, size};
    struct target t;
    struct arena a;

    arena_init(&a);
    if (target_parse(&a, raw, &t) && !str_eq(t.path, STR("*"))) {
        require(t.path.n > 0 && t.path.p[0] == '/');
        require(!has(t.path, "//") && !has(t.path, "/../") && !has(t.path, "/./"));
        require(memchr(t.path.p, 0, t.path.n) == NULL && str_is_utf8(t.path));
        for (size_t i = 0; i < t.path.n; i++)
            require((unsigned char)t.path.p[i] >= 0x20 && t.path.p[i] != 0x7f);
    }
    arena_fini(&a);
    return 0;
}
