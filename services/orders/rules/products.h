// SPDX-License-Identifier: Apache-2.0
/* First steps of what can be done with products; f->in and f->out are the method's
 * messages. */
#ifndef ORDERS_RULES_PRODUCTS_H
#define ORDERS_RULES_PRODUCTS_H

#include "kit/flow/flow.h"

enum step product_get(struct flow *f);
enum step product_list(struct flow *f);
enum step product_create(struct flow *f);
enum step product_patch(struct flow *f);

#endif
