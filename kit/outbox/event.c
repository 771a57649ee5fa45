// SPDX-License-Identifier: Apache-2.0
/* Events as statement parameters. */
#include "kit/outbox/event.h"

#include "kit/obs/trace.h"

enum { EVENT_MAX = 4096 };

static void free_buf(void *b)
{
    buf_fini(b);
}

void outbox_params(struct flow *f, struct pg_query *q, const char *type,
                   const struct wire_msg *m, const void *event)
{
    struct buf *body = ARENA_NEW(&f->arena, struct buf);
    char *traceparent = arena_alloc(&f->arena, TRACEPARENT_LEN);

    buf_init(body, EVENT_MAX);
    arena_defer(&f->arena, free_buf, body);
    wire_to_msgpack(body, m, event);
    trace_format(&f->trace, traceparent);
    pg_uuid(q, uuid_new());
    pg_str(q, str_of(type));
    pg_bytes(q, buf_view(body));
    pg_str(q, (struct str){traceparent, TRACEPARENT_LEN});
}
