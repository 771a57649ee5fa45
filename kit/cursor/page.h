// SPDX-License-Identifier: Apache-2.0
/*
 * One page of a list by keyset: rows after (key, id) in the list's order, `limit` of
 * them. Stores ask for limit + 1 rows: the extra one says that another page follows.
 * Pure.
 */
#ifndef KIT_CURSOR_PAGE_H
#define KIT_CURSOR_PAGE_H

#include "kit/cursor/cursor.h"

struct page {
    struct str secret, list;
    int64_t limit;
    struct cursor after; /* before the first row when there was no cursor */
};

/* `cursor` absent: the first page. Keys are at least 0 and below 2^57, as times in
 * microseconds and prices are. false: the cursor is not one of this list. */
bool page_open(struct arena *a, struct str secret, struct str list, bool descending,
               int64_t limit, struct str cursor, struct page *out);

/* The cursor of the page after `last`, the last row that is shown. */
struct str page_next(struct arena *a, const struct page *p, struct cursor last);

#endif
