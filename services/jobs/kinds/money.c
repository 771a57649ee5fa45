// SPDX-License-Identifier: Apache-2.0
/* Minor units and their decimals. */
#include "jobs/kinds/money.h"

#include <inttypes.h>

/* ISO 4217, list one: the currencies that do not have two decimals. */
static const struct {
    const char *currency;
    int decimals;
} exceptions[] = {
    {"BIF", 0}, {"CLP", 0}, {"DJF", 0}, {"GNF", 0}, {"ISK", 0}, {"JPY", 0}, {"KMF", 0},
    {"KRW", 0}, {"PYG", 0}, {"RWF", 0}, {"UGX", 0}, {"UYI", 0}, {"VND", 0}, {"VUV", 0},
    {"XAF", 0}, {"XOF", 0}, {"XPF", 0}, {"BHD", 3}, {"IQD", 3}, {"JOD", 3}, {"KWD", 3},
    {"LYD", 3}, {"OMR", 3}, {"TND", 3}, {"CLF", 4}, {"UYW", 4},
};

static int decimals_of(struct str currency)
{
    for (size_t i = 0; i < sizeof exceptions / sizeof *exceptions; i++)
        if (str_eq(currency, str_of(exceptions[i].currency)))
            return exceptions[i].decimals;
    return 2;
}

struct str money_amount(struct arena *a, int64_t minor, struct str currency)
{
    int decimals = decimals_of(currency);
    const char *sign = minor < 0 ? "-" : "";
    uint64_t all = minor < 0 ? 0 - (uint64_t)minor : (uint64_t)minor;
    uint64_t unit = 1;

    for (int i = 0; i < decimals; i++)
        unit *= 10;
    if (unit == 1)
        return arena_printf(a, "%s%" PRIu64, sign, all);
    return arena_printf(a, "%s%" PRIu64 ".%0*" PRIu64, sign, all / unit, decimals,
                        all % unit);
}

struct str money_text(struct arena *a, int64_t minor, struct str currency)
{
    struct str amount = money_amount(a, minor, currency);

    return arena_printf(a, "%.*s %.*s", STR_FMT(amount), STR_FMT(currency));
}
