// SPDX-License-Identifier: Apache-2.0
/* Texts with {{names}} in them. In HTML a value is escaped unless it is markup already.
 * Pure. */
#ifndef JOBS_KINDS_TEMPLATE_H
#define JOBS_KINDS_TEMPLATE_H

#include "kit/base/buf.h"

struct template_value {
    const char *name;
    struct str value;
    bool markup; /* made by us, from escaped parts */
};

void html_escape(struct buf *b, struct str text);

/* A name that has no value is a broken template and ends the process; templates are ours.
 */
void template_render(struct buf *b, const char *template,
                     const struct template_value *values, size_t n, bool html);

#endif
