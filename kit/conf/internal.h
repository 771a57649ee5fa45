// SPDX-License-Identifier: Apache-2.0
/* Inside of kit/conf: one row per kind says how it is read, shown and bounded. */
#ifndef KIT_CONF_INTERNAL_H
#define KIT_CONF_INTERNAL_H

#include "kit/conf/conf.h"

struct conf_kind_info {
    const char *must_be; /* "a whole number" */
    bool length_bound;   /* min and max are of its length */
    bool hidden;         /* its text is never shown as it came */
    /* Into the member; false when the text is not acceptable. */
    bool (*read)(struct arena *a, const struct conf_option *o, struct str text,
                 void *member);
    void (*show)(struct buf *b, const void *member);
};
extern const struct conf_kind_info CONF_KIND_INFO[];

/* min and max both 0: no bounds. */
static inline bool conf_is_bounded(const struct conf_option *o)
{
    return CONF_KIND_INFO[o->kind].length_bound ? o->max > 0 : o->min < 0 || o->max > 0;
}

/* ", from 1 to 100"; nothing without bounds. */
void conf_put_bounds(struct buf *b, const struct conf_option *o);

bool conf_is_url(struct str text);
/* With *** for each password. */
void conf_put_masked_url(struct buf *b, struct str url);
/* In quotes and escaped where a .env file needs it. */
void conf_put_quoted(struct buf *b, struct str text);

#endif
