// SPDX-License-Identifier: Apache-2.0
/* Log lines byte by byte: stderr is a file that is read back. */
#include "kit/base/log.h"

#include "kit/base/clock.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static int real_stderr, file;
static char text[4 * LOG_LINE_MAX];

static void capture(void)
{
    log_init("tests", LOG_LEVEL_DEBUG);
    real_stderr = dup(STDERR_FILENO);
    file = memfd_create("log", 0);
    dup2(file, STDERR_FILENO);
}

/* Everything written so far, in `text`. */
static struct str captured(void)
{
    ssize_t n = pread(file, text, sizeof text - 1, 0);

    dup2(real_stderr, STDERR_FILENO);
    cr_assert_geq(n, 0);
    text[n] = '\0';
    return (struct str){text, (size_t)n};
}

/* What follows the time stamp and level of the first line. */
static const char *after_head(const char *level)
{
    static const char ts[] = "{\"ts\":\"0000-00-00T00:00:00.000000Z\",";
    char head[64];
    struct str s = captured();

    snprintf(head, sizeof head, "\"level\":\"%s\",\"service\":\"tests\",", level);
    cr_assert(s.n > sizeof ts + strlen(head));
    cr_assert(str_starts(s, STR("{\"ts\":\"20")));
    cr_assert(str_starts(str_of(text + sizeof ts - 1), str_of(head)), "%s", text);
    return text + sizeof ts - 1 + strlen(head);
}

TestSuite(log, .init = capture);

Test(log, a_line_has_its_keys_in_order)
{
    struct log_ctx ctx = {
        .request_id = STR("r1"), .user_id = STR("u1"), .route = STR("/v1/x/{id}")};

    LOG_WARN(&ctx, "rpc.timeout", KV("method", "users.get"), KV("ms", 12));
    cr_assert_str_eq(after_head("warn"),
                     "\"event\":\"rpc.timeout\",\"request_id\":\"r1\",\"user_id\":\"u1\","
                     "\"route\":\"/v1/x/{id}\",\"method\":\"users.get\",\"ms\":12}\n");
}

/* Of a second only the first line makes all of its text; the lines are of two. */
Test(log, each_line_has_the_time_it_was_written)
{
    enum { LINES = 12, PAUSE_US = 100000 };
    int64_t before_us[LINES + 1], written_us;
    struct str rest;

    for (int i = 0; i < LINES; i++) {
        before_us[i] = clock_wall_us();
        LOG_INFO(NULL, "e");
        usleep(PAUSE_US);
    }
    before_us[LINES] = clock_wall_us();
    rest = captured();
    for (int i = 0; i < LINES; i++) {
        struct str line = str_split(rest, '\n', &rest);

        cr_assert_gt(line.n, 7 + CLOCK_RFC3339_LEN);
        cr_assert(clock_parse_rfc3339((struct str){line.p + 7, CLOCK_RFC3339_LEN},
                                      &written_us));
        cr_assert_geq(written_us, before_us[i]);
        cr_assert_leq(written_us, before_us[i + 1]);
    }
}

Test(log, a_line_needs_neither_context_nor_keys)
{
    LOG_INFO(NULL, "start");
    cr_assert_str_eq(after_head("info"), "\"event\":\"start\"}\n");
}

Test(log, values_print_by_their_type)
{
    size_t size = SIZE_MAX;
    const char *none = NULL;

    LOG_ERROR(NULL, "e", KV("s", STR("x")), KV("none", none), KV("size", size),
              KV("min", INT64_MIN), KV("u8", (uint8_t)200), KV("yes", (bool)true),
              KV("d", 0.25), KV("f", 1.5F), KV("inf", INFINITY), KV("nan", (double)NAN),
              KV("literal", (struct str){"ab", 1}));
    cr_assert_str_eq(
        after_head("error"),
        "\"event\":\"e\",\"s\":\"x\",\"none\":null,\"size\":9223372036854775807,"
        "\"min\":-9223372036854775808,\"u8\":200,\"yes\":true,\"d\":0.25,\"f\":1.5,"
        "\"inf\":null,\"nan\":null,\"literal\":\"a\"}\n");
}

Test(log, strings_are_escaped_as_json_says)
{
    LOG_INFO(NULL, "e", KV("s", STR("\"\\/\b\f\n\r\t\x01\x1F\x7F\xC3\xA4")),
             KV("nul", ((struct str){"a\0b", 3})));
    cr_assert_str_eq(after_head("info"),
                     "\"event\":\"e\",\"s\":\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001"
                     "\\u001f\x7F\xC3\xA4\",\"nul\":\"a\\u0000b\"}\n");
}

Test(log, bytes_that_are_not_utf8_are_replaced)
{
    LOG_INFO(NULL, "e", KV("s", STR("a\xFF\xC3(\xED\xA0\x80\xE2\x82")));
    cr_assert_str_eq(
        after_head("info"),
        "\"event\":\"e\",\"s\":\"a\xEF\xBF\xBD\xEF\xBF\xBD(\xEF\xBF\xBD\xEF\xBF\xBD"
        "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"}\n");
}

Test(log, secrets_and_mail_addresses_are_masked)
{
    LOG_INFO(NULL, "e", KV_SECRET("password"),
             KV_EMAIL("to", STR("ann@x.org@example.com")), KV_EMAIL("odd", STR("ann")),
             KV_EMAIL("none", ((struct str){NULL, 0})));
    cr_assert_str_eq(after_head("info"),
                     "\"event\":\"e\",\"password\":\"***\",\"to\":\"***"
                     "@example.com\",\"odd\":\"***\",\"none\":\"***\"}\n");
}

static int evaluated;

static int evaluate(void)
{
    return ++evaluated;
}

Test(log, below_the_level_nothing_is_written_nor_evaluated)
{
    log_init("tests", LOG_LEVEL_WARN);
    LOG_INFO(NULL, "e", KV("n", evaluate()));
    LOG_DEBUG(NULL, "e", KV("n", evaluate()));
    log_write(LOG_LEVEL_INFO, NULL, "e", NULL, 0);
    cr_assert_eq(captured().n, 0);
    cr_assert_eq(evaluated, 0);
}

/* Whatever the length and wherever the cut falls: one line, whole JSON, valid UTF-8. */
Test(log, a_line_that_is_too_long_is_cut_and_says_so)
{
    static char big[2 * LOG_LINE_MAX];

    for (size_t i = 0; i + 1 < sizeof big; i += 2)
        memcpy(big + i, "\xC3\xA4", 2);
    for (size_t n = LOG_LINE_MAX - 160; n < LOG_LINE_MAX + 40; n++) {
        struct str s;

        cr_assert_eq(ftruncate(file, 0), 0);
        lseek(file, 0, SEEK_SET);
        dup2(file, STDERR_FILENO);
        LOG_INFO(NULL, n % 2 ? "e" : "ee", KV("s", ((struct str){big, n & ~(size_t)1})),
                 KV("after", 123456));
        s = captured();
        cr_assert_leq(s.n, LOG_LINE_MAX);
        cr_assert(str_is_utf8(s), "%zu", n);
        cr_assert(strstr(text, "\"after\":123456}\n") ||
                      strstr(text, "\xA4\",\"cut\":true}\n"),
                  "%zu: %s", n, text + s.n - 40);
        cr_assert_eq(strchr(text, '\n'), text + s.n - 1);
    }
    cr_assert(strstr(text, "\"cut\":true"));
}

Test(log, a_full_pipe_that_must_not_block_loses_the_line_only)
{
    int ends[2];
    char page[4096] = {0};

    cr_assert_eq(pipe2(ends, O_NONBLOCK), 0);
    while (write(ends[1], page, sizeof page) > 0)
        ;
    dup2(ends[1], STDERR_FILENO);
    LOG_INFO(NULL, "lost");
    dup2(real_stderr, STDERR_FILENO);
}

Test(log, held_lines_leave_together_and_whole)
{
    log_hold(true);
    LOG_INFO(NULL, "one", KV("n", 1));
    LOG_INFO(NULL, "two", KV("n", INT64_MIN));
    cr_assert_eq(lseek(file, 0, SEEK_END), 0, "written too early");
    log_flush();
    log_hold(false);
    cr_assert_str_not_empty(after_head("info"));
    cr_assert(strstr(text, "\"event\":\"one\",\"n\":1}\n{\"ts\""), "%s", text);
    cr_assert(strstr(text, "\"event\":\"two\",\"n\":-9223372036854775808}\n"), "%s",
              text);
}

Test(log, a_warning_takes_the_held_lines_along)
{
    log_hold(true);
    LOG_INFO(NULL, "one");
    LOG_WARN(NULL, "two");
    cr_assert_str_not_empty(after_head("info"));
    cr_assert(strstr(text, "\"event\":\"one\"}\n{"), "%s", text);
    cr_assert(strstr(text, "\"event\":\"two\"}\n"), "%s", text);
}

Test(log, held_lines_that_grow_too_many_leave_before_the_next)
{
    char big[LOG_LINE_MAX / 2];

    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    log_hold(true);
    LOG_INFO(NULL, "one", KV("big", big));
    LOG_INFO(NULL, "two", KV("big", big));
    cr_assert_gt(lseek(file, 0, SEEK_END), (off_t)sizeof big);
    cr_assert(strstr(after_head("info"), "\"event\":\"one\""));
    cr_assert_not(strstr(text, "\"event\":\"two\""), "%s", text);
}

Test(log, every_byte_is_escaped_wherever_it_stands)
{
    for (int at = 0; at < 20; at++)
        for (int c = 1; c < 0x80; c++) {
            char value[21], want[32];
            bool plain = c >= ' ' && c != '"' && c != '\\';

            memset(value, 'a', sizeof value - 1);
            value[sizeof value - 1] = '\0';
            value[at] = (char)c;
            cr_assert_eq(ftruncate(file, 0), 0);
            cr_assert_eq(lseek(file, 0, SEEK_SET), 0);
            LOG_INFO(NULL, "e", KV("v", value));
            text[pread(file, text, sizeof text - 1, 0)] = '\0';
            (void)snprintf(want, sizeof want, "\"v\":\"%s\"", value);
            cr_assert_eq(strstr(text, want) != NULL, plain, "%d at %d: %s", c, at, text);
        }
    captured();
}

Test(log, in_the_background_lines_keep_their_order_and_are_all_there_in_the_end)
{
    enum { LINES = 20 };
    const char *at;

    log_background(true);
    for (int i = 0; i < LINES; i++)
        LOG_INFO(NULL, "line", KV("n", i));
    log_sync();
    LOG_INFO(NULL, "last");
    log_background(false);
    LOG_INFO(NULL, "after");
    (void)captured();
    at = text;
    for (int i = 0; i < LINES; i++) {
        char want[32];

        snprintf(want, sizeof want, "\"n\":%d}\n", i);
        at = strstr(at, want);
        cr_assert(at, "no line %d: %s", i, text);
    }
    at = strstr(at, "\"last\"}\n");
    cr_assert(at && strstr(at, "\"after\"}\n"), "%s", text);
}

/* 3 MB while nobody reads: the writer is held up, its queue is full. */
Test(log, in_the_background_a_pipe_that_nobody_reads_holds_up_nobody, .timeout = 60)
{
    static char read_back[LOG_LINE_MAX];
    char big[3000];
    int ends[2];
    bool told = false;
    ssize_t n;

    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    cr_assert_eq(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    log_background(true);
    for (int i = 0; i < 1000; i++)
        LOG_INFO(NULL, "big", KV("big", big));
    while (!told && (n = read(ends[0], read_back, sizeof read_back - 1)) > 0) {
        read_back[n] = '\0';
        told = strstr(read_back, "log.lost") != NULL;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    close(ends[0]);
    log_background(false);
    dup2(real_stderr, STDERR_FILENO);
    cr_assert(told);
}

Test(log, a_pipe_that_nobody_reads_does_not_keep_a_process_from_ending, .timeout = 60)
{
    static char big[LOG_LINE_MAX / 2];
    int ends[2];

    memset(big, 'x', sizeof big - 1);
    cr_assert_eq(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    log_background(true);
    for (int i = 0; i < 100; i++) /* more than a pipe holds */
        LOG_INFO(NULL, "big", KV("big", big));
    log_background(false);
    dup2(real_stderr, STDERR_FILENO);
}
