// SPDX-License-Identifier: Apache-2.0
/* --help and --print-config. */
#include "options.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static struct arena a;
static struct buf b;
static struct sample conf;

static void setup(void)
{
    arena_init(&a);
    buf_init(&b, 1 << 16);
    setenv("VIADUCT_T_PG", "postgresql://u:hunter2@db/x", 1);
}

static void teardown(void)
{
    arena_fini(&a);
    buf_fini(&b);
}

static const char *printed(void)
{
    cr_assert_null(conf_load(&a, sample_options, &conf));
    buf_reset(&b);
    conf_print(&b, sample_options, &conf);
    buf_byte(&b, '\0');
    return b.p;
}

static void shows(const char *url, const char *masked)
{
    char want[256];

    setenv("VIADUCT_T_PG", url, 1);
    snprintf(want, sizeof want, "VIADUCT_T_PG=%s\n", masked);
    cr_assert_not_null(strstr(printed(), want), "%s, not\n%s", want, b.p);
}

TestSuite(conf_print, .init = setup, .fini = teardown);

Test(conf_print, shows_every_option_and_hides_secrets)
{
    cr_assert_str_eq(printed(), "VIADUCT_T_LISTEN=tcp://127.0.0.1:7101\n"
                                "VIADUCT_T_KEY=***\n"
                                "VIADUCT_T_PG=postgresql://u:***@db/x\n"
                                "VIADUCT_T_DIR=\n"
                                "VIADUCT_T_CONNS=4\n"
                                "VIADUCT_T_WAIT_MS=250\n"
                                "VIADUCT_T_BODY=1048576\n"
                                "VIADUCT_T_DEMO=false\n"
                                "VIADUCT_T_RATIO=0.5\n"
                                "VIADUCT_T_ANY=-1\n"
                                "VIADUCT_T_REST_MS=0\n"
                                "VIADUCT_T_ROOM=1024\n");
}

Test(conf_print, hides_only_the_password_of_a_url)
{
    shows("redis://:pw@h:6379/0", "redis://:***@h:6379/0");
    shows("redis://h:6379/0", "redis://h:6379/0");
    shows("redis://user@h", "redis://user@h");
    shows("http://h:80/@x", "http://h:80/@x");
    shows("http://h/a?b=c&d", "http://h/a?b=c&d");
    shows("postgresql://u:p@h1:1,h2:2/d", "postgresql://u:***@h1:1,h2:2/d");
}

Test(conf_print, hides_a_password_that_someone_forgot_to_encode)
{
    shows("redis://u:p/w@h/0", "redis://u:***@h/0");
    shows("redis://u:p@w@h/0", "redis://u:***@h/0");
    shows("redis://u:p#w?x@h/0", "redis://u:***@h/0");
}

Test(conf_print, hides_a_password_in_the_query)
{
    shows("postgresql:///d?user=u&password=pw&x=1",
          "postgresql:///d?user=u&password=***&x=1");
    shows("postgresql:///d?sslpassword=pw", "postgresql:///d?sslpassword=***");
}

Test(conf_print, can_be_used_as_an_env_file)
{
    setenv("VIADUCT_T_LISTEN", "a \"b\" \\ #\n\033", 1);
    cr_assert_not_null(strstr(printed(), "VIADUCT_T_LISTEN=\"a \\\"b\\\" \\\\ #\\n?\"\n"),
                       "%s", b.p);
}

Test(conf_print, help_has_a_line_for_each_option_with_bounds_and_default)
{
    conf_help(&b, sample_options);
    buf_byte(&b, '\0');
    cr_assert_not_null(
        strstr(b.p, "  VIADUCT_T_CONNS    connections, from 1 to 100 [4]\n"), "%s", b.p);
    cr_assert_not_null(strstr(b.p, "  VIADUCT_T_PG       database [required]\n"));
    cr_assert_not_null(strstr(b.p, "  VIADUCT_T_DIR      where keys are\n"));
    cr_assert_not_null(
        strstr(b.p, "  VIADUCT_T_KEY      signing key, 8 to 32 bytes long [***]\n"));
}
