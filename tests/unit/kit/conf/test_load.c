// SPDX-License-Identifier: Apache-2.0
/* Settings from the environment: what each kind takes, and what errors say. */
#include "options.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static struct arena a;
static struct sample conf;

static void setup(void)
{
    arena_init(&a);
    setenv("VIADUCT_T_PG", "postgresql://u:secret@db/x", 1);
}

static void teardown(void)
{
    arena_fini(&a);
}

static const struct err *load(const char *name, const char *value)
{
    setenv(name, value, 1);
    return conf_load(&a, sample_options, &conf);
}

static void takes(const char *name, const char *value)
{
    const struct err *e = load(name, value);

    cr_assert_null(e, "%s=%s: %s", name, value, e ? e->detail.p : "");
}

static void refuses(const char *name, const char *value)
{
    const struct err *e = load(name, value);

    cr_assert_not_null(e, "%s=%s", name, value);
    cr_assert(str_eq(e->fields->pointer, str_of(name)));
    cr_assert_null(e->fields->next);
}

static bool says(struct str text, const char *part)
{
    return memmem(text.p, text.n, part, strlen(part)) != NULL;
}

TestSuite(conf, .init = setup, .fini = teardown);

Test(conf, defaults_stand_where_nothing_is_set)
{
    cr_assert_null(conf_load(&a, sample_options, &conf));
    cr_assert_str_eq(conf.listen, "tcp://127.0.0.1:7101");
    cr_assert_str_eq(conf.key, "built-in");
    cr_assert_str_eq(conf.dir, "");
    cr_assert_eq(conf.conns, 4);
    cr_assert_eq(conf.wait_ms, 250);
    cr_assert_eq(conf.body, 1 << 20);
    cr_assert_not(conf.demo);
    cr_assert_float_eq(conf.ratio, 0.5, 1e-9);
    cr_assert_eq(conf.any, -1);
}

Test(conf, the_environment_wins_over_defaults)
{
    setenv("VIADUCT_T_DEMO", "true", 1);
    setenv("VIADUCT_T_RATIO", "1", 1);
    takes("VIADUCT_T_LISTEN", "ipc:///run/x.sock");
    cr_assert_str_eq(conf.listen, "ipc:///run/x.sock");
    cr_assert(conf.demo);
    cr_assert_float_eq(conf.ratio, 1, 1e-9);
    cr_assert_str_eq(conf.pg, "postgresql://u:secret@db/x");
}

Test(conf, an_empty_variable_counts_as_not_set)
{
    takes("VIADUCT_T_CONNS", "");
    cr_assert_eq(conf.conns, 4);
    refuses("VIADUCT_T_PG", "");
}

Test(conf, strings_outlive_a_change_of_the_environment)
{
    takes("VIADUCT_T_LISTEN", "one");
    setenv("VIADUCT_T_LISTEN", "two", 1);
    cr_assert_str_eq(conf.listen, "one");
}

Test(conf, numbers_keep_to_their_bounds)
{
    takes("VIADUCT_T_CONNS", "1");
    takes("VIADUCT_T_CONNS", "100");
    refuses("VIADUCT_T_CONNS", "0");
    refuses("VIADUCT_T_CONNS", "101");
    refuses("VIADUCT_T_CONNS", "4x");
    refuses("VIADUCT_T_CONNS", " 4");
    refuses("VIADUCT_T_CONNS", "99999999999999999999");
}

Test(conf, numbers_without_bounds_take_all)
{
    takes("VIADUCT_T_ANY", "-9223372036854775808");
    cr_assert_eq(conf.any, INT64_MIN);
    takes("VIADUCT_T_ANY", "9223372036854775807");
    refuses("VIADUCT_T_ANY", "9223372036854775808");
}

Test(conf, durations_are_never_negative)
{
    takes("VIADUCT_T_WAIT_MS", "0");
    refuses("VIADUCT_T_WAIT_MS", "-1");
    refuses("VIADUCT_T_WAIT_MS", "1s");
    setenv("VIADUCT_T_WAIT_MS", "1", 1);
    refuses("VIADUCT_T_REST_MS", "-1");
}

Test(conf, bytes_have_suffixes)
{
    takes("VIADUCT_T_BODY", "64k");
    cr_assert_eq(conf.body, 65536);
    takes("VIADUCT_T_BODY", "2M");
    cr_assert_eq(conf.body, 2 << 20);
    takes("VIADUCT_T_BODY", "4096");
    cr_assert_eq(conf.body, 4096);
    refuses("VIADUCT_T_BODY", "1");
    refuses("VIADUCT_T_BODY", "2g");
    refuses("VIADUCT_T_BODY", "k");
    refuses("VIADUCT_T_BODY", "1.5m");
    setenv("VIADUCT_T_BODY", "1m", 1);
    refuses("VIADUCT_T_ROOM", "9223372036854775807k");
    takes("VIADUCT_T_ROOM", "9007199254740991k");
    cr_assert_eq(conf.room, 9007199254740991 << 10);
}

Test(conf, flags_are_true_or_false_only)
{
    takes("VIADUCT_T_DEMO", "true");
    takes("VIADUCT_T_DEMO", "false");
    refuses("VIADUCT_T_DEMO", "yes");
    refuses("VIADUCT_T_DEMO", "TRUE");
}

Test(conf, fractions_are_decimal_and_finite)
{
    takes("VIADUCT_T_RATIO", "0.25");
    takes("VIADUCT_T_RATIO", "1e-3");
    refuses("VIADUCT_T_RATIO", "1.01");
    refuses("VIADUCT_T_RATIO", "nan");
    refuses("VIADUCT_T_RATIO", "inf");
    refuses("VIADUCT_T_RATIO", "0x1p-1");
    refuses("VIADUCT_T_RATIO", "1e999");
    refuses("VIADUCT_T_RATIO", "--1");
}

Test(conf, a_url_needs_a_scheme)
{
    takes("VIADUCT_T_PG", "redis://h");
    refuses("VIADUCT_T_PG", "db.example.com");
    refuses("VIADUCT_T_PG", "://db");
    refuses("VIADUCT_T_PG", "http://");
}

Test(conf, lengths_are_bounded_where_the_row_says_so)
{
    takes("VIADUCT_T_KEY", "12345678");
    refuses("VIADUCT_T_KEY", "1234567");
    refuses("VIADUCT_T_KEY", "123456789012345678901234567890123");
}

Test(conf, the_error_names_variable_bounds_and_what_it_was)
{
    const struct err *e = load("VIADUCT_T_CONNS", "1000");

    cr_assert_str_eq(e->code->name, "conf.bad_setting");
    cr_assert(says(e->detail,
                   "VIADUCT_T_CONNS must be a whole number, from 1 to 100, but is "
                   "\"1000\""),
              "%s", e->detail.p);
}

Test(conf, the_error_names_every_bad_variable)
{
    const struct err *e;

    setenv("VIADUCT_T_CONNS", "x", 1);
    setenv("VIADUCT_T_DEMO", "perhaps", 1);
    e = load("VIADUCT_T_PG", "");
    cr_assert(says(e->detail, "VIADUCT_T_CONNS"));
    cr_assert(says(e->detail, "VIADUCT_T_DEMO"));
    cr_assert(says(e->detail, "VIADUCT_T_PG is required: database"));
    cr_assert(e->fields->next->next && !e->fields->next->next->next);
}

Test(conf, the_error_never_shows_a_secret)
{
    const struct err *e;

    setenv("VIADUCT_T_KEY", "hunter2", 1);
    e = load("VIADUCT_T_PG", "u:hunter3@db");
    cr_assert_not(says(e->detail, "hunter"), "%s", e->detail.p);
    cr_assert_not(says(e->fields->detail, "hunter"));
    cr_assert(says(e->detail, "VIADUCT_T_KEY must be a text, 8 to 32 bytes long"));
}

Test(conf, the_error_shows_no_control_characters_and_no_endless_value)
{
    static char huge[100001];
    const struct err *e = load("VIADUCT_T_CONNS", "1\n\033[2J");

    cr_assert(says(e->detail, "\"1??[2J\""), "%s", e->detail.p);
    memset(huge, '9', sizeof huge - 1);
    e = load("VIADUCT_T_CONNS", huge);
    cr_assert_lt(e->detail.n, 400);
}
