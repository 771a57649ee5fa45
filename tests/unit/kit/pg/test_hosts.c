// SPDX-License-Identifier: Apache-2.0
/* Hosts with their addresses beside them. */
#include "kit/pg/conninfo.h"

#include <criterion/criterion.h>
#include <string.h>

static struct arena a;
static const char *names[RESOLVE_HOSTS_MAX];
static const char **keywords, **values;

static void begin(void)
{
    arena_init(&a);
}

static void end(void)
{
    arena_fini(&a);
}

TestSuite(pg_hosts, .init = begin, .fini = end);

static const char *value(const char *keyword)
{
    for (int i = 0; keywords[i]; i++)
        if (strcmp(keywords[i], keyword) == 0)
            return values[i];
    return NULL;
}

Test(pg_hosts, only_names_are_looked_up)
{
    const char *const k[] = {"user", "host", NULL};
    const char *const v[] = {"u", "10.0.0.1,db1,/run/postgresql,db2", NULL};

    cr_assert_eq(pg_conninfo_names(&a, k, v, names), 2u);
    cr_expect_str_eq(names[0], "db1");
    cr_expect_str_eq(names[1], "db2");
}

Test(pg_hosts, nothing_is_looked_up_beside_given_addresses)
{
    const char *const k[] = {"host", "hostaddr", NULL};
    const char *const v[] = {"db1", "10.0.0.1", NULL};
    const char *const none[] = {NULL};

    cr_expect_eq(pg_conninfo_names(&a, k, v, names), 0u);
    cr_expect_eq(pg_conninfo_names(&a, none, none, names), 0u);
}

static struct resolve_answer answer = {
    .n = 2,
    .host = {{.name = "db1", .n = 2, .address = {"10.0.0.1", "::1"}},
             {.name = "db2", .n = 0}},
};

Test(pg_hosts, every_address_becomes_an_entry_with_its_port)
{
    const char *const k[] = {"host", "dbname", "port", NULL};
    const char *const v[] = {"db1,/tmp,db2", "d", "1,2,3", NULL};

    cr_assert(pg_conninfo_resolved(&a, k, v, &answer, &keywords, &values));
    cr_expect_str_eq(value("host"), "db1,db1,/tmp");
    cr_expect_str_eq(value("hostaddr"), "10.0.0.1,::1,");
    cr_expect_str_eq(value("port"), "1,1,2");
    cr_expect_str_eq(value("dbname"), "d");
}

Test(pg_hosts, one_port_is_for_all_and_none_stays_none)
{
    const char *const k[] = {"host", "port", NULL}, *const v[] = {"db1", "7", NULL};
    const char *const k2[] = {"host", NULL}, *const v2[] = {"db1", NULL};

    cr_assert(pg_conninfo_resolved(&a, k, v, &answer, &keywords, &values));
    cr_expect_str_eq(value("port"), "7,7");
    cr_assert(pg_conninfo_resolved(&a, k2, v2, &answer, &keywords, &values));
    cr_expect_str_eq(value("port"), ",");
}

Test(pg_hosts, no_address_at_all_is_told)
{
    const char *const k[] = {"host", NULL}, *const v[] = {"db2", NULL};

    cr_assert_not(pg_conninfo_resolved(&a, k, v, &answer, &keywords, &values));
}
