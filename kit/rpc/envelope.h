// SPDX-License-Identifier: Apache-2.0
/*
 * An error on its way over the hop: the body of a REPLY with RPC_FLAG_ERROR. A msgpack
 * map: code   str   the code's name, "orders.out_of_stock" kind   str   the metric label
 * of its kind, for a caller that does not know the code detail str, retry_after_ms int:
 * when known fields array of [pointer, detail]: the bad fields, at most
 * RPC_ENVELOPE_FIELDS_MAX Other keys are skipped. Pure; any thread.
 */
#ifndef KIT_RPC_ENVELOPE_H
#define KIT_RPC_ENVELOPE_H

#include "kit/base/buf.h"
#include "kit/base/err.h"

enum { RPC_ENVELOPE_FIELDS_MAX = 100 };

void rpc_envelope_put(struct buf *b, const struct err *e);

/* Never NULL; strings point into `body`. The code comes from `codes` (NULL-terminated,
 * may be NULL), then from KIT_ERRORS; an unknown code becomes the first one of KIT_ERRORS
 * of the same kind, or `internal`. What is malformed is `internal` too. */
__attribute__((returns_nonnull)) const struct err *rpc_envelope_read(
    struct arena *a, struct str body, const struct err_code *const *codes);

#endif
