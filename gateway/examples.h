// SPDX-License-Identifier: Apache-2.0
/*
 * Examples for the OpenAPI document: of each message one that its own rules accept, made
 * from its table. A field's example is by its name where a good one is known, else by its
 * kind and bounds, so that new messages have one without anybody writing it. Pure.
 */
#ifndef GATEWAY_EXAMPLES_H
#define GATEWAY_EXAMPLES_H

#include "kit/base/buf.h"
#include "kit/base/err.h"
#include "kit/wire/wire.h"

/* JSON of the whole message, optional fields too, but for those of no use together. */
void example_write(struct buf *b, const struct wire_msg *m);
/* JSON of one field's value. */
void example_write_field(struct buf *b, const struct wire_field *f);
/* A problem of that kind, with the first code that has it. */
void example_write_problem(struct buf *b, enum err_kind kind);

#endif
