// SPDX-License-Identifier: Apache-2.0
/* See gateway/schemas.h. */
#include "gateway/schemas.h"

#include "kit/base/mem.h"

static void add_enum(struct schemas *s, const struct wire_enum *en)
{
    for (unsigned i = 0; i < s->n_enums; i++)
        if (s->enums[i] == en)
            return;
    if (s->n_enums == SCHEMAS_MAX)
        mem_die("openapi: more than %d enums", SCHEMAS_MAX);
    s->enums[s->n_enums++] = en;
}

void schemas_add_fields(struct schemas *s, const struct wire_msg *m)
{
    for (unsigned i = 0; i < m->count; i++) {
        const struct wire_field *f = &m->fields[i];

        if (f->kind == WIRE_KIND_enum)
            add_enum(s, f->en);
        else if (f->kind == WIRE_KIND_obj || f->kind == WIRE_KIND_list)
            schemas_add(s, f->sub);
    }
}

/* Messages nest a few levels: tables cannot refer to what comes after them. */
void schemas_add(struct schemas *s, const struct wire_msg *m) // NOLINT(misc-no-recursion)
{
    if (!m)
        return;
    for (unsigned i = 0; i < s->n_msgs; i++)
        if (s->msgs[i] == m)
            return;
    if (s->n_msgs == SCHEMAS_MAX)
        mem_die("openapi: more than %d messages", SCHEMAS_MAX);
    s->msgs[s->n_msgs++] = m;
    schemas_add_fields(s, m);
}

void schemas_write(struct buf *b, const struct schemas *s)
{
    const char *sep = "";

    for (unsigned i = 0; i < s->n_msgs; i++, sep = ",") {
        buf_printf(b, "%s\"%s\":", sep, s->msgs[i]->name);
        wire_schema(b, s->msgs[i]);
    }
    for (unsigned i = 0; i < s->n_enums; i++, sep = ",") {
        buf_printf(b, "%s\"%s\":", sep, s->enums[i]->name);
        wire_enum_schema(b, s->enums[i]);
    }
}
