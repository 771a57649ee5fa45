// SPDX-License-Identifier: Apache-2.0
/* Amounts for people: minor units and an ISO 4217 code to "12.34". Pure. */
#ifndef JOBS_KINDS_MONEY_H
#define JOBS_KINDS_MONEY_H

#include "kit/base/arena.h"

/* Without the currency; as many decimals as the currency has. */
struct str money_amount(struct arena *a, int64_t minor, struct str currency);
/* "12.34 EUR" */
struct str money_text(struct arena *a, int64_t minor, struct str currency);

#endif
