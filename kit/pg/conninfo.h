// SPDX-License-Identifier: Apache-2.0
/* Connection parameters: the operator's conninfo, and what we need on top of it. */
#ifndef KIT_PG_CONNINFO_H
#define KIT_PG_CONNINFO_H

#include <stdint.h>

/* Two NULL-ended arrays for PQconnectStartParams; the operator's own settings win, but
 * for the statement timeout. Dies when conninfo cannot be parsed. */
void pg_conninfo_make(const char *conninfo, int64_t statement_timeout_ms,
                      const char ***keywords, const char ***values);
void pg_conninfo_free(const char **keywords, const char **values);

#endif
