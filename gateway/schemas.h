// SPDX-License-Identifier: Apache-2.0
/* The messages and enums that a document refers to, each once, whatever refers to them.
 */
#ifndef GATEWAY_SCHEMAS_H
#define GATEWAY_SCHEMAS_H

#include "kit/base/buf.h"
#include "kit/wire/wire.h"

enum { SCHEMAS_MAX = 256 };

struct schemas {
    const struct wire_msg *msgs[SCHEMAS_MAX];
    unsigned n_msgs;
    const struct wire_enum *enums[SCHEMAS_MAX];
    unsigned n_enums;
};

/* With all it refers to; NULL is fine. */
void schemas_add(struct schemas *s, const struct wire_msg *m);
/* Only what the fields refer to: the message itself is spread over parameters. */
void schemas_add_fields(struct schemas *s, const struct wire_msg *m);
/* "name":{...},"name":{...} */
void schemas_write(struct buf *b, const struct schemas *s);

#endif
