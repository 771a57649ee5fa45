// SPDX-License-Identifier: Apache-2.0
/* A long export, or a long result of a job, and a reader who takes his time: what he does
 * not read is not read from the database either, and neither gateway nor service grows by
 * what he has not read. */
#include "tests/faults/faults.h"
#include "tests/support/load/load.h"
#include "tests/support/stack/db.h"

#include "kit/base/clock.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    ROWS = 200000,
    PAGES = ROWS / 200,
    GROWTH_MAX_BYTES = 8 << 20, /* of an export of 40 MB */
    PARTS = 200,
    PART_BYTES = 200000,
    RECEIVE_BYTES = 65536,
    CALM_US = 1000000,
};

static struct faults t;

static void place_many(void)
{
    struct db *db = db_open("VIADUCT_ORDERS_PG");

    db_run(db, api_text(&t.api,
                        "INSERT INTO orders (id, user_id, status, currency, total, "
                        "created_at) SELECT gen_random_uuid(), gen_random_uuid(), "
                        "'pending', 'EUR', n, now() - n * interval '1 second' "
                        "FROM generate_series(1, %d) n",
                        ROWS));
    db_run(db, "ANALYZE orders");
    db_close(db);
}

static int ask(const char *path)
{
    const struct sockaddr_in a = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)t.stack.gateway_port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char request[LOAD_REQUEST_MAX];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), small = RECEIVE_BYTES;
    size_t n = load_write(request, sizeof request, "GET", path, t.admin, NULL, NULL);

    cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
    cr_assert_eq(connect(fd, (const struct sockaddr *)&a, sizeof a), 0);
    cr_assert_eq(send(fd, request, n, MSG_NOSIGNAL), (ssize_t)n);
    return fd;
}

static double rss(enum stack_part part)
{
    return stack_metric(t.stack.admin[part], "process_resident_memory_bytes");
}

static double pages(void)
{
    return stack_metric(t.stack.admin[STACK_ORDERS],
                        "viaduct_pg_query_duration_seconds_count"
                        "{statement=\"orders_of_period\"");
}

struct calm {
    double pages;
    int64_t since_us;
};

/* Some pages were read, and for a second no more. */
static bool is_calm(void *arg)
{
    struct calm *c = arg;
    double now = pages();

    if (now != c->pages)
        *c = (struct calm){now, clock_mono_us()};
    return c->pages > 0 && clock_mono_us() - c->since_us > CALM_US;
}

static bool is_idle(void *unused)
{
    (void)unused;
    return stack_metric(t.stack.admin[STACK_ORDERS], "viaduct_hop_in_flight") == 0;
}

/* How much of it was read when nobody read it: some socket buffers' worth. */
static void reader_stalls(void)
{
    struct calm c = {0};

    wait_until(is_calm, &c, 30, "the export to wait for its reader");
    (void)fprintf(stderr, "a reader who does not read: %.0f of %d pages\n", c.pages,
                  PAGES);
    cr_assert_lt(c.pages, PAGES / 2);
}

struct reading {
    unsigned long lines, bytes;
    double gateway, orders; /* the most memory of them */
    char last[8];           /* bytes: how a chunked body ends */
};

static void look_at_memory(struct reading *r)
{
    double gateway = rss(STACK_GATEWAY), orders = rss(STACK_ORDERS);

    r->gateway = gateway > r->gateway ? gateway : r->gateway;
    r->orders = orders > r->orders ? orders : r->orders;
}

/* In pieces, with a look at the memory between some of them, which is slow enough. A row
 * is the only thing with this name in it. */
static void read_all(int fd, struct reading *r)
{
    static char piece[RECEIVE_BYTES + 16];
    static const char row[] = "\"created_at\"";
    size_t kept = 0;

    for (unsigned i = 0;; i++) {
        ssize_t n = recv(fd, piece + kept, RECEIVE_BYTES, 0);
        size_t all = kept + (n > 0 ? (size_t)n : 0), done = 0;
        const char *at;

        cr_assert_geq(n, 0);
        r->bytes += (size_t)n;
        while ((at = memmem(piece + done, all - done, row, sizeof row - 1))) {
            r->lines++;
            done = (size_t)(at - piece) + sizeof row - 1;
        }
        kept = all - done < sizeof row ? all - done : sizeof row - 2;
        memmove(piece, piece + all - kept, kept);
        if (i % 100 == 0)
            look_at_memory(r);
        if (kept >= 5 && memcmp(piece + kept - 5, "0\r\n\r\n", 5) == 0)
            return;
        cr_assert_gt(n, 0, "it is cut after %lu lines", r->lines);
    }
}

static void reads_slowly(void)
{
    double gateway = rss(STACK_GATEWAY), orders = rss(STACK_ORDERS);
    struct reading r = {0};
    int fd = ask("/v1/exports/orders");

    reader_stalls();
    read_all(fd, &r);
    close(fd);
    (void)fprintf(stderr,
                  "%lu rows, %lu bytes; gateway grew by %.1f MiB, orders by %.1f\n",
                  r.lines, r.bytes, (r.gateway - gateway) / (1 << 20),
                  (r.orders - orders) / (1 << 20));
    cr_assert_eq(r.lines, (unsigned long)db_number("VIADUCT_ORDERS_PG",
                                                   "SELECT count(*) FROM orders"));
    cr_assert_lt(r.gateway - gateway, GROWTH_MAX_BYTES);
    cr_assert_lt(r.orders - orders, GROWTH_MAX_BYTES);
}

static void goes_away(void)
{
    double before;
    int fd = ask("/v1/exports/orders");
    char some[RECEIVE_BYTES];

    cr_assert_gt(recv(fd, some, sizeof some, 0), 0);
    close(fd);
    wait_until(is_idle, NULL, 10, "the export to be cancelled");
    before = pages();
    cr_assert_lt(before, 2 * PAGES, "it was not read to its end: %.0f pages", before);
}

/* ---- a job's result ---- */

static const char *job_with_long_result(void)
{
    static const char id[] = "01990000-0000-7000-8000-000000000001";
    struct answer me = api_call(&t.api, "GET", "/v1/users/me", t.admin, NULL);
    struct db *db = db_open("VIADUCT_JOBS_PG");

    db_run(db, api_text(&t.api,
                        "INSERT INTO jobs (id, kind, state, payload, owner, progress, "
                        "finished_at) VALUES ('%s', 'report', 'succeeded', '', '%s', "
                        "100, now())",
                        id, answer_get(&t.api, &me, "/id")));
    db_run(db, api_text(&t.api,
                        "INSERT INTO job_results (job_id, fence, chunk, bytes) "
                        "SELECT '%s', 0, n, convert_to(repeat('x', %d), 'UTF8') "
                        "FROM generate_series(0, %d) n",
                        id, PART_BYTES, PARTS - 1));
    db_close(db);
    return id;
}

static unsigned long read_result(int fd, double *most)
{
    static char piece[RECEIVE_BYTES];
    unsigned long xs = 0;
    ssize_t n;

    for (unsigned i = 0; (n = recv(fd, piece, sizeof piece, 0)) > 0; i++) {
        double now = i % 100 == 0 ? rss(STACK_GATEWAY) : 0;

        *most = now > *most ? now : *most;
        for (ssize_t at = 0; at < n; at++)
            xs += piece[at] == 'x';
        if (n >= 5 && memcmp(piece + n - 5, "0\r\n\r\n", 5) == 0)
            break;
    }
    return xs;
}

/* The head has some 'x' of its own. */
static void result_in_parts(void)
{
    const char *id = job_with_long_result();
    double before = rss(STACK_GATEWAY), most = 0;
    int fd = ask(api_text(&t.api, "/v1/jobs/%s/result", id));
    unsigned long xs = read_result(fd, &most);

    close(fd);
    (void)fprintf(stderr, "a result of %lu bytes; gateway grew by %.1f MiB\n", xs,
                  (most - before) / (1 << 20));
    cr_assert_geq(xs, (unsigned long)PARTS * PART_BYTES);
    cr_assert_lt(most - before, GROWTH_MAX_BYTES);
}

/* VIADUCT_WORK_MS is less than it takes: an export has its own longest time. */
Test(export_slow, reader_slows_the_database_and_nothing_grows)
{
    static const char *const env[] = {"VIADUCT_WORK_MS=2000", NULL};

    faults_open_with(&t, (struct stack_conf){.env = env});
    place_many();
    cr_assert_eq(api_call(&t.api, "GET", "/v1/exports/orders?from=2100-01-01T00:00:00Z",
                          t.admin, NULL)
                     .status,
                 200);
    reads_slowly();
    goes_away();
    result_in_parts();
    faults_close(&t);
}
