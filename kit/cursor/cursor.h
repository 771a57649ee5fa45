// SPDX-License-Identifier: Apache-2.0
/*
 * List cursors: where the next page starts, as (sort key, id) of the last item, signed so
 * that nobody can make one up, and bound to one list with one order and one set of
 * filters. The text is base64url of key (8 bytes), id (16) and a keyed BLAKE2b MAC (16).
 * Any thread.
 */
#ifndef KIT_CURSOR_CURSOR_H
#define KIT_CURSOR_CURSOR_H

#include "kit/base/arena.h"
#include "kit/base/id.h"

enum { CURSOR_SECRET_MIN = 32 }; /* bytes */

struct cursor {
    int64_t key;
    struct uuid id;
};

/* `list` names the list, its order and its filters, e.g. "orders:-created_at:paid". */
struct str cursor_encode(struct arena *a, struct str secret, struct str list,
                         struct cursor c);

/* false: not made by us, or for another list. */
bool cursor_decode(struct arena *a, struct str secret, struct str list, struct str text,
                   struct cursor *out);

#endif
