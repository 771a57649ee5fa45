// SPDX-License-Identifier: Apache-2.0
/* What an SQLSTATE means. */
#include "kit/pg/pool.h"

#include <criterion/criterion.h>

Test(pg_verdict, judges_by_the_longest_prefix_that_counts)
{
    static const struct {
        const char *sqlstate;
        enum pg_verdict verdict;
    } rows[] = {
        {"23505", PG_VIOLATED},  {"23503", PG_VIOLATED},
        {"P0001", PG_VIOLATED},  {"P0002", PG_BROKEN},
        {"57014", PG_TIMED_OUT}, {"57P01", PG_DISCONNECTED},
        {"40001", PG_REPEAT},    {"40P01", PG_REPEAT},
        {"40002", PG_BROKEN},    {"25006", PG_ELSEWHERE},
        {"25P02", PG_BROKEN},    {"26000", PG_ELSEWHERE},
        {"53100", PG_EXHAUSTED}, {"08006", PG_DISCONNECTED},
        {"42P01", PG_BROKEN},    {"22P02", PG_BROKEN},
        {"", PG_BROKEN},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_eq(pg_verdict(rows[i].sqlstate), rows[i].verdict, "%s",
                     rows[i].sqlstate);
}
