// SPDX-License-Identifier: Apache-2.0
/* Keyset pages over signed cursors. */
#include "kit/cursor/page.h"

/* Beyond every key: 9999-12-31T23:59:59.999999Z when read as a time. */
static const int64_t key_after_all = 253402300799999999;

static struct cursor before_first(bool descending)
{
    struct cursor c = {.key = descending ? key_after_all : -1};

    memset(c.id.b, descending ? 0xff : 0, sizeof c.id.b);
    return c;
}

bool page_open(struct arena *a, struct str secret, struct str list, bool descending,
               int64_t limit, struct str cursor, struct page *out)
{
    *out = (struct page){secret, list, limit, before_first(descending)};
    return !cursor.p || cursor_decode(a, secret, list, cursor, &out->after);
}

struct str page_next(struct arena *a, const struct page *p, struct cursor last)
{
    return cursor_encode(a, p->secret, p->list, last);
}
