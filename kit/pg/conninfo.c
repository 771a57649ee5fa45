// SPDX-License-Identifier: Apache-2.0
/* Merging the operator's conninfo with our defaults. */
#include "kit/pg/conninfo.h"

#include "kit/base/mem.h"

#include <errno.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *keyword, *value;
} defaults[] = {
    {"client_encoding", "UTF8"},     {"connect_timeout", "10"},
    {"keepalives_idle", "30"},       {"keepalives_interval", "5"},
    {"keepalives_count", "3"},       {"tcp_user_timeout", "20000"},
    {"target_session_attrs", "any"},
};
enum {
    DEFAULTS = sizeof defaults / sizeof *defaults,
    OWN = 2 /* options, application name */
};

struct merge {
    const char **keywords, **values;
    int n;
};

static void add(struct merge *m, const char *keyword, const char *value)
{
    m->keywords[m->n] = mem_strdup(keyword);
    m->values[m->n++] = mem_strdup(value);
}

static const char *find(const PQconninfoOption *o, const char *keyword)
{
    for (; o->keyword; o++)
        if (o->val && strcmp(o->keyword, keyword) == 0)
            return o->val;
    return NULL;
}

static void add_options(struct merge *m, const char *given, int64_t statement_timeout_ms)
{
    char *options;

    if (asprintf(&options, "%s -c statement_timeout=%lld", given ? given : "",
                 (long long)statement_timeout_ms) < 0)
        mem_die("pg: out of memory");
    add(m, "options", options);
    free(options);
}

void pg_conninfo_make(const char *conninfo, int64_t statement_timeout_ms,
                      const char ***keywords, const char ***values)
{
    PQconninfoOption *given = PQconninfoParse(conninfo, NULL);
    struct merge m = {0};
    size_t n = DEFAULTS + OWN + 1;

    if (!given)
        mem_die("pg: the connection string cannot be parsed");
    for (const PQconninfoOption *o = given; o->keyword; o++)
        n++;
    m.keywords = mem_alloc(n * sizeof *m.keywords);
    m.values = mem_alloc(n * sizeof *m.values);

    for (const PQconninfoOption *o = given; o->keyword; o++)
        if (o->val && strcmp(o->keyword, "options") != 0)
            add(&m, o->keyword, o->val);
    for (int i = 0; i < DEFAULTS; i++)
        if (!find(given, defaults[i].keyword))
            add(&m, defaults[i].keyword, defaults[i].value);
    if (!find(given, "application_name"))
        add(&m, "application_name", program_invocation_short_name);
    add_options(&m, find(given, "options"), statement_timeout_ms);
    PQconninfoFree(given);
    *keywords = m.keywords;
    *values = m.values;
}

void pg_conninfo_free(const char **keywords, const char **values)
{
    for (int i = 0; keywords[i]; i++) {
        free((void *)(uintptr_t)keywords[i]);
        free((void *)(uintptr_t)values[i]);
    }
    free(keywords);
    free(values);
}
