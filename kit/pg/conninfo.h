// SPDX-License-Identifier: Apache-2.0
/* Connection parameters: the operator's conninfo, and what we need on top of it. */
#ifndef KIT_PG_CONNINFO_H
#define KIT_PG_CONNINFO_H

#include "kit/base/arena.h"
#include "kit/resolve/resolve.h"

/* Two NULL-ended arrays for PQconnectStartParams; the operator's own settings win, but
 * for the statement timeout. Dies when conninfo cannot be parsed. */
void pg_conninfo_make(const char *conninfo, int64_t statement_timeout_ms,
                      const char ***keywords, const char ***values);
void pg_conninfo_free(const char **keywords, const char **values);

/* The host names in `values` that have to be looked up: libpq would do so within the
 * loop. Returns how many; names point into a. */
unsigned pg_conninfo_names(struct arena *a, const char *const *keywords,
                           const char *const *values,
                           const char *names[RESOLVE_HOSTS_MAX]);
/* Copies of the arrays in which each of these names has its addresses beside it. false
 * when no host is left. */
bool pg_conninfo_resolved(struct arena *a, const char *const *keywords,
                          const char *const *values, const struct resolve_answer *answer,
                          const char ***new_keywords, const char ***new_values);

#endif
