// SPDX-License-Identifier: Apache-2.0
/* The .env file. */
#include "kit/conf/conf.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct arena a;
static char path[] = "/tmp/viaduct-dotenv-XXXXXX";

static void setup(void)
{
    int fd = mkstemp(path);

    cr_assert_geq(fd, 0);
    close(fd);
    arena_init(&a);
}

static void teardown(void)
{
    arena_fini(&a);
    unlink(path);
}

static const struct err *read_text(const char *text, size_t n)
{
    FILE *f = fopen(path, "w");

    cr_assert_eq(fwrite(text, 1, n, f), n);
    fclose(f);
    return conf_read_dotenv(&a, path, true);
}

static void gives(const char *text, const char *value)
{
    const struct err *e;

    unsetenv("DOTENV_T");
    e = read_text(text, strlen(text));
    cr_assert_null(e, "%s: %s", text, e ? e->detail.p : "");
    cr_assert_str_eq(getenv("DOTENV_T"), value, "%s: %s", text, getenv("DOTENV_T"));
}

static void refuses(const char *text)
{
    const struct err *e = read_text(text, strlen(text));

    cr_assert_not_null(e, "%s", text);
    cr_assert_str_eq(e->code->name, "conf.bad_env_file");
}

TestSuite(dotenv, .init = setup, .fini = teardown);

Test(dotenv, values_are_plain_or_quoted)
{
    gives("DOTENV_T=plain", "plain");
    gives("DOTENV_T=two words \n", "two words");
    gives("  export DOTENV_T = spaced\r\n", "spaced");
    gives("DOTENV_T=\"  kept \"", "  kept ");
    gives("DOTENV_T='a \"b\" \\n c'", "a \"b\" \\n c");
    gives("DOTENV_T=\"a \\\"b\\\" \\\\ \\nc\"", "a \"b\" \\ \nc");
    gives("DOTENV_T=", "");
    gives("DOTENV_T=\"\"", "");
    gives("DOTENV_T=a=b", "a=b");
}

Test(dotenv, comments_are_left_out)
{
    gives("# one\n\n   # two\nDOTENV_T=x # three\n#DOTENV_T=y\n", "x");
    gives("DOTENV_T=\"x # in\" # out", "x # in");
    gives("DOTENV_T=pass#word", "pass#word");
    gives("DOTENV_T=# nothing", "");
}

Test(dotenv, the_environment_wins)
{
    setenv("DOTENV_T", "from the environment", 1);
    cr_assert_null(read_text("DOTENV_T=from the file", 22));
    cr_assert_str_eq(getenv("DOTENV_T"), "from the environment");
}

Test(dotenv, what_is_no_setting_is_an_error)
{
    refuses("DOTENV_T");
    refuses("=value");
    refuses("9LIVES=cat");
    refuses("TWO WORDS=x");
    refuses("DOTENV_T=\"open");
    refuses("DOTENV_T='open");
    refuses("DOTENV_T=\"x\" y");
    cr_assert_not_null(read_text("DOTENV_T=a\0b", 12));
}

Test(dotenv, the_error_names_the_line_and_not_what_it_holds)
{
    const struct err *e = read_text("A=1\nhunter2\n", 12);

    cr_assert_not_null(strstr(e->detail.p, "line 2 of /tmp/viaduct-dotenv-"));
    cr_assert_null(strstr(e->detail.p, "hunter2"));
}

Test(dotenv, a_missing_file_is_fine_unless_it_was_asked_for)
{
    cr_assert_null(conf_read_dotenv(&a, "/nowhere/.env", false));
    cr_assert_not_null(conf_read_dotenv(&a, "/nowhere/.env", true));
    cr_assert_not_null(conf_read_dotenv(&a, "/tmp", false));
}

Test(dotenv, a_file_beyond_all_measure_is_refused)
{
    static char huge[(1 << 20) + 2];

    memset(huge, '#', sizeof huge);
    cr_assert_not_null(read_text(huge, sizeof huge));
}
