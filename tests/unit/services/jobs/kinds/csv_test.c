// SPDX-License-Identifier: Apache-2.0
/* CSV that is safe to open in a spreadsheet. */
#include "jobs/kinds/csv.h"

#include <criterion/criterion.h>

static void expect(const char *cell, const char *text)
{
    struct buf b;
    const struct str cells[] = {str_of(cell), STR("x")};

    buf_init(&b, 1000);
    csv_row(&b, cells, 2);
    cr_expect(str_eq(buf_view(&b), str_of(text)), "%.*s", STR_FMT(buf_view(&b)));
    buf_fini(&b);
}

Test(csv, leaves_plain_cells_alone)
{
    expect("plain", "plain,x\r\n");
    expect("", ",x\r\n");
    expect("12.34", "12.34,x\r\n");
    expect("-12.34", "-12.34,x\r\n");
}

Test(csv, quotes_what_would_break_a_row)
{
    expect("a,b", "\"a,b\",x\r\n");
    expect("a\"b", "\"a\"\"b\",x\r\n");
    expect("a\nb", "\"a\nb\",x\r\n");
}

Test(csv, defuses_formulas)
{
    expect("=1+1", "'=1+1,x\r\n");
    expect("+cmd", "'+cmd,x\r\n");
    expect("@sum", "'@sum,x\r\n");
    expect("-cmd|x", "'-cmd|x,x\r\n");
    expect("-", "'-,x\r\n");
    expect("\tx", "'\tx,x\r\n");
    expect("=A,B", "\"'=A,B\",x\r\n");
}
