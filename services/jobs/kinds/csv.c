// SPDX-License-Identifier: Apache-2.0
/* Rows of comma-separated values. */
#include "jobs/kinds/csv.h"

static bool is_number(struct str cell)
{
    size_t digits = 0;

    for (size_t i = cell.p[0] == '-'; i < cell.n; i++) {
        if (cell.p[i] >= '0' && cell.p[i] <= '9')
            digits++;
        else if (cell.p[i] != '.')
            return false;
    }
    return digits > 0;
}

static bool is_formula(struct str cell)
{
    return cell.n && memchr("=+-@\t\r", cell.p[0], 6) && !is_number(cell);
}

static bool needs_quotes(struct str cell)
{
    for (size_t i = 0; i < cell.n; i++)
        if (cell.p[i] == ',' || cell.p[i] == '"' || cell.p[i] == '\r' ||
            cell.p[i] == '\n')
            return true;
    return false;
}

static void put_quoted(struct buf *b, struct str cell)
{
    for (size_t i = 0; i < cell.n; i++) {
        if (cell.p[i] == '"')
            buf_byte(b, '"');
        buf_byte(b, (uint8_t)cell.p[i]);
    }
}

static void put_cell(struct buf *b, struct str cell)
{
    bool quotes = needs_quotes(cell);

    if (quotes)
        buf_byte(b, '"');
    if (is_formula(cell))
        buf_byte(b, '\'');
    put_quoted(b, cell);
    if (quotes)
        buf_byte(b, '"');
}

void csv_row(struct buf *b, const struct str *cells, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_byte(b, ',');
        put_cell(b, cells[i]);
    }
    buf_str(b, STR("\r\n"));
}
