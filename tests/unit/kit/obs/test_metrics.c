// SPDX-License-Identifier: Apache-2.0
/* Handles and the exposition text. Each test is a process, so the registry starts empty.
 */
#include "kit/obs/metrics.h"

#include "kit/base/clock.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct buf out;

static const char *render(void)
{
    buf_fini(&out);
    buf_init(&out, 1 << 24);
    metrics_render(&out);
    cr_assert_not(out.failed);
    buf_byte(&out, '\0');
    return out.p;
}

/* How often `text` stands at the start of a line. */
static int lines(const char *text)
{
    const char *all = render();
    size_t n = strlen(text);
    int found = 0;

    for (const char *p = all; p && *p; p = strchr(p, '\n'), p += p != NULL)
        found += strncmp(p, text, n) == 0;
    return found;
}

#define HAS(line) cr_assert_eq(lines(line "\n"), 1, "%s\n---\n%s", line, out.p)

Test(metrics, the_same_labels_in_any_order_are_the_same_handle)
{
    struct metric *m = metrics_counter("c_total", "C", "a", "1", "b", "2", NULL);

    cr_assert_eq(m, metrics_counter("c_total", "C", "a", "1", "b", "2", NULL));
    cr_assert_eq(m, metrics_counter("c_total", "C", "b", "2", "a", "1", NULL));
    cr_assert_neq(m, metrics_counter("c_total", "C", "a", "2", "b", "1", NULL));
    cr_assert_neq(m, metrics_counter("d_total", "D", "a", "1", "b", "2", NULL));
}

Test(metrics, counters_and_gauges_show_their_values)
{
    metric_add(metrics_counter("c_total", "C", NULL), 41);
    metric_add(metrics_counter("c_total", "C", NULL), 1);
    metric_set(metrics_gauge("g", "G", "k", "v", NULL), -7);
    metric_set_double(metrics_gauge("ratio", "R", NULL), 0.25);
    HAS("c_total 42");
    HAS("g{k=\"v\"} -7");
    HAS("ratio 0.25");
    cr_assert_eq(metric_value(metrics_counter("c_total", "C", NULL)), 42);
}

Test(metrics, a_metric_is_shown_before_it_is_first_used)
{
    metrics_counter("c_total", "C", "outcome", "ok", NULL);
    HAS("c_total{outcome=\"ok\"} 0");
}

Test(metrics, names_are_sorted_with_one_help_and_type_each)
{
    metrics_counter("zz_total", "Last", "k", "1", NULL);
    metrics_counter("aa_total", "First", NULL);
    metrics_counter("zz_total", "Last", "k", "2", NULL);
    HAS("# HELP zz_total Last");
    HAS("# TYPE zz_total counter");
    cr_assert_lt(strstr(out.p, "# HELP aa_total"), strstr(out.p, "# HELP zz_total"));
    cr_assert_not_null(strstr(out.p, "# TYPE zz_total counter\nzz_total{k=\"1\"} 0\n"
                                     "zz_total{k=\"2\"} 0\n"));
}

Test(metrics, label_values_and_help_are_escaped)
{
    metrics_gauge("g", "back\\slash and\nnew line", "k", "a\"b\\c\nd", NULL);
    HAS("g{k=\"a\\\"b\\\\c\\nd\"} 0");
    HAS("# HELP g back\\\\slash and\\nnew line");
}

Test(metrics, a_value_that_is_not_utf8_cannot_spoil_the_page)
{
    metrics_gauge("g", "G", "k", "\xff\xfe", NULL);
    HAS("g{k=\"other\"} 0");
}

Test(metrics, a_histogram_counts_each_observation_in_its_bucket)
{
    struct metric *m = metrics_histogram("h_seconds", "H", "k", "v", NULL);

    metric_observe_us(m, -5);
    metric_observe_us(m, 100);
    metric_observe_us(m, 101);
    metric_observe_us(m, 10000000);
    metric_observe_us(m, 10000001);
    HAS("h_seconds_bucket{k=\"v\",le=\"0.0001\"} 2");
    HAS("h_seconds_bucket{k=\"v\",le=\"0.00025\"} 3");
    HAS("h_seconds_bucket{k=\"v\",le=\"5\"} 3");
    HAS("h_seconds_bucket{k=\"v\",le=\"10\"} 4");
    HAS("h_seconds_bucket{k=\"v\",le=\"+Inf\"} 5");
    HAS("h_seconds_sum{k=\"v\"} 20.000202");
    HAS("h_seconds_count{k=\"v\"} 5");
    HAS("# TYPE h_seconds histogram");
    cr_assert_eq(lines("h_seconds_bucket"), 17);
    cr_assert_eq(metric_value(m), 5);
}

Test(metrics, a_histogram_without_labels_has_only_le)
{
    metric_observe_us(metrics_histogram("h_seconds", "H", NULL), 3000000);
    HAS("h_seconds_bucket{le=\"2.5\"} 0");
    HAS("h_seconds_bucket{le=\"5\"} 1");
    HAS("h_seconds_sum 3.000000");
    HAS("h_seconds_count 1");
}

Test(metrics, more_label_sets_than_the_bound_share_one_called_other)
{
    char value[16];

    for (int i = 0; i < 3 * METRICS_SERIES_MAX; i++) {
        snprintf(value, sizeof value, "%d", i);
        metric_add(metrics_counter("c_total", "C", "k", value, NULL), 1);
    }
    cr_assert_eq(lines("c_total{"), METRICS_SERIES_MAX + 1);
    HAS("c_total{k=\"999\"} 1");
    HAS("c_total{k=\"other\"} 2000");
}

Test(metrics, a_label_value_beyond_all_measure_becomes_other)
{
    static char huge[100000];

    memset(huge, 'x', sizeof huge - 1);
    metric_add(metrics_counter("c_total", "C", "k", huge, NULL), 3);
    HAS("c_total{k=\"other\"} 3");
}

static void set_gauge(void *arg)
{
    metric_add(metrics_gauge("collected", "C", NULL), *(int *)arg);
}

Test(metrics, collectors_run_before_each_page_until_taken_away)
{
    int one = 1, ten = 10;

    metrics_collect(set_gauge, &one);
    metrics_collect(set_gauge, &ten);
    HAS("collected 11");
    HAS("collected 22");
    metrics_uncollect(set_gauge, &ten);
    HAS("collected 23");
    metrics_uncollect(set_gauge, &ten);
    metrics_uncollect(set_gauge, &one);
    HAS("collected 23");
}

static double shown(const char *name)
{
    const char *at = strstr(render(), name);

    while (at && at != out.p && at[-1] != '\n')
        at = strstr(at + 1, name);
    cr_assert_not_null(at, "%s", name);
    return strtod(at + strlen(name), NULL);
}

Test(metrics, the_process_is_measured)
{
    double now = (double)clock_wall_us() / 1e6;

    cr_assert_gt(shown("process_resident_memory_bytes "), 100e3);
    cr_assert_gt(shown("process_cpu_seconds_total "), 0);
    cr_assert_geq(shown("process_open_fds "), 3);
    cr_assert_geq(shown("process_max_fds "), 10);
    cr_assert_float_eq(shown("process_start_time_seconds "), now, 60);
    HAS("# TYPE process_cpu_seconds_total counter");
}

Test(metrics, open_descriptors_are_counted)
{
    double before = shown("process_open_fds ");
    int fd = dup(STDERR_FILENO);

    cr_assert_eq(shown("process_open_fds "), before + 1);
    close(fd);
    cr_assert_eq(shown("process_open_fds "), before);
}

Test(metrics, one_name_of_two_kinds_is_a_broken_invariant, .signal = 6)
{
    metrics_counter("c_total", "C", NULL);
    metrics_gauge("c_total", "C", NULL);
}
