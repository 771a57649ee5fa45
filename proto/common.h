// SPDX-License-Identifier: Apache-2.0
/* Messages that several services share. */
#ifndef PROTO_COMMON_H
#define PROTO_COMMON_H

#include "kit/wire/method.h"
#include "kit/wire/wire.h"

/* Nothing to say. */
#define EMPTY(F, T) F(T, flag, ok, OPTIONAL, 0, 0, "unused")
WIRE_MESSAGE(empty, EMPTY)

/* One thing by its id. */
#define BY_ID(F, T) F(T, uuid, id, REQUIRED, 0, 0, "its id")
WIRE_MESSAGE(by_id, BY_ID)

/* The two parameters of every list; put first in a list's own query message. */
#define PAGE_QUERY(F, T)                                                             \
    F(T, i64, limit, OPTIONAL, 1, 100, "most items in the answer; 20 when left out") \
    F(T, str, cursor, OPTIONAL, 1, 200, "next_cursor of the answer before")

enum { PAGE_LIMIT_DEFAULT = 20 };

#endif
