// SPDX-License-Identifier: Apache-2.0
/* Every statement of the service, for pools to prepare. */
#ifndef JOBS_STORE_STATEMENTS_H
#define JOBS_STORE_STATEMENTS_H

struct pg_stmt;

/* NULL-terminated. */
extern const struct pg_stmt *const jobs_statements[];

#endif
