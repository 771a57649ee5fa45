// SPDX-License-Identifier: Apache-2.0
/*
 * Look-ups in message and enum tables.
 */
#include "kit/wire/internal.h"

const char *wire_enum_label(const struct wire_enum *e, unsigned value)
{
    return value < e->count ? e->labels[value] : "?";
}

int wire_enum_value(const struct wire_enum *e, struct str label)
{
    for (unsigned i = 0; i < e->count; i++) {
        if (str_eq(label, str_of(e->labels[i])))
            return (int)i;
    }
    return -1;
}

const struct wire_field *wire_field_find(const struct wire_msg *m, struct str name)
{
    for (unsigned i = 0; i < m->count; i++) {
        const struct wire_field *f = m->fields + i;

        if (f->name_len == name.n && memcmp(f->name, name.p, name.n) == 0)
            return f;
    }
    return NULL;
}
