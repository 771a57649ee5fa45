// SPDX-License-Identifier: Apache-2.0
/*
 * CSV (RFC 4180) that is safe to open in a spreadsheet: a cell that begins with a
 * character which makes it a formula gets an apostrophe in front (OWASP, CSV injection).
 * Pure.
 */
#ifndef JOBS_KINDS_CSV_H
#define JOBS_KINDS_CSV_H

#include "kit/base/buf.h"

/* Ends with CRLF. */
void csv_row(struct buf *b, const struct str *cells, size_t n);

#endif
