// SPDX-License-Identifier: Apache-2.0
/* The command line. */
#include "process.h"

#include <criterion/criterion.h>

#define SAYS(text) \
    cr_assert_not_null(strstr(output(), text), "no '%s' in\n%s", text, output())
#define SAYS_NOT(text) \
    cr_assert_null(strstr(output(), text), "'%s' in\n%s", text, output())

TestSuite(svc_cli, .init = world_begin, .fini = world_end);

Test(svc_cli, help_shows_commands_and_settings)
{
    set("VIADUCT_SAMPLE_CONNS", "bad settings do not matter here");
    cr_assert_eq(run("--help", NULL), 0);
    SAYS("svc-sample 0.");
    SAYS("A program for tests.");
    SAYS("echo            say what was said");
    SAYS("VIADUCT_ADMIN_LISTEN ");
    SAYS("connections, from 1 to 100 [4]");
    SAYS("a signing key, 8 to 64 bytes long [required]");
    SAYS_NOT("hunter2");
}

Test(svc_cli, version_names_the_libraries_it_runs_with)
{
    cr_assert_eq(run("--version", NULL), 0);
    SAYS("svc-sample " VIADUCT_VERSION "\n");
    SAYS("  libevent_core-2.1.so");
}

Test(svc_cli, check_accepts_good_settings)
{
    cr_assert_eq(run("--check", NULL), 0);
    SAYS("the settings are fine");
}

Test(svc_cli, check_names_every_bad_setting_and_shows_no_secret)
{
    set("VIADUCT_SAMPLE_KEY", "hunter3");
    set("VIADUCT_SAMPLE_DB", "u:hunter4@h");
    set("VIADUCT_SAMPLE_CONNS", "101");
    set("VIADUCT_DRAIN_MS", "soon");
    cr_assert_eq(run("--check", NULL), 1);
    SAYS("  VIADUCT_SAMPLE_KEY must be a text, 8 to 64 bytes long\n");
    SAYS("  VIADUCT_SAMPLE_DB must be a URL\n");
    SAYS(
        "  VIADUCT_SAMPLE_CONNS must be a whole number, from 1 to 100, but is \"101\"\n");
    SAYS("  VIADUCT_DRAIN_MS must be a whole number of milliseconds, from 0 to 600000, "
         "but is "
         "\"soon\"\n");
    SAYS_NOT("hunter");
}

Test(svc_cli, check_looks_at_what_types_cannot_say)
{
    set("VIADUCT_LOG_LEVEL", "loud");
    cr_assert_eq(run("--check", NULL), 1);
    SAYS("VIADUCT_LOG_LEVEL must be debug, info, warn or error, but is \"loud\"");
    set("VIADUCT_LOG_LEVEL", "info");
    set("VIADUCT_ADMIN_LISTEN", "9100");
    cr_assert_eq(run("--check", NULL), 1);
    SAYS("VIADUCT_ADMIN_LISTEN must be an address with a port, but is \"9100\"");
    set("VIADUCT_ADMIN_LISTEN", "127.0.0.1:0");
    set("VIADUCT_SAMPLE_FAIL", "check");
    cr_assert_eq(run("--check", NULL), 1);
    SAYS("told to fail in check");
}

Test(svc_cli, a_program_with_bad_settings_does_not_start)
{
    set("VIADUCT_SAMPLE_CONNS", "0");
    cr_assert_eq(run(NULL, NULL), 1);
    SAYS("VIADUCT_SAMPLE_CONNS");
    SAYS_NOT("svc.starting");
}

Test(svc_cli, print_config_masks_secrets)
{
    set("VIADUCT_SAMPLE_CONNS", "9");
    cr_assert_eq(run("--print-config", NULL), 0);
    SAYS("VIADUCT_ADMIN_LISTEN=127.0.0.1:0\n");
    SAYS("VIADUCT_SAMPLE_KEY=***\n");
    SAYS("VIADUCT_SAMPLE_DB=postgresql://u:***@h/d\n");
    SAYS("VIADUCT_SAMPLE_CONNS=9\n");
    SAYS_NOT("a-good-key");
    SAYS_NOT("hunter2");
}

Test(svc_cli, settings_come_from_the_env_file_of_the_working_directory)
{
    put_file(".env", "VIADUCT_SAMPLE_CONNS=33\nVIADUCT_SAMPLE_KEY=from-the-file\n");
    set("VIADUCT_SAMPLE_DB", "redis://x");
    cr_assert_eq(run("--print-config", NULL), 0);
    SAYS("VIADUCT_SAMPLE_CONNS=33\n");
    SAYS("VIADUCT_SAMPLE_DB=redis://x\n");
}

Test(svc_cli, an_env_file_that_was_named_must_be_there)
{
    put_file("other", "VIADUCT_SAMPLE_CONNS=44\n");
    cr_assert_eq(run("--print-config", "--env", file("other"), NULL), 0);
    SAYS("VIADUCT_SAMPLE_CONNS=44\n");
    cr_assert_eq(run("--env", file("other"), "--print-config", NULL), 0);
    SAYS("VIADUCT_SAMPLE_CONNS=44\n");
    cr_assert_eq(run("--check", "--env", file("nowhere"), NULL), 1);
    SAYS("nowhere");
    cr_assert_eq(run("--check", "--env", NULL), 2);
}

Test(svc_cli, commands_get_their_arguments_and_give_the_exit_code)
{
    cr_assert_eq(run("echo", "a", "--b", NULL), 7);
    SAYS("conns=4 <a> <--b>\n");
}

Test(svc_cli, what_it_does_not_know_is_an_error_of_usage)
{
    cr_assert_eq(run("--nonsense", NULL), 2);
    SAYS("--help");
    cr_assert_eq(run("nonsense", NULL), 2);
    cr_assert_eq(run("--check", "--version", NULL), 2);
}

Test(svc_cli, health_of_nobody_is_bad)
{
    set("VIADUCT_ADMIN_LISTEN", "127.0.0.1:1");
    cr_assert_eq(run("--health", NULL), 1);
    SAYS("no answer");
}
