// SPDX-License-Identifier: Apache-2.0
/*
 * filter_bench: what the strict filter costs, alone on a core. A line for each figure:
 * NAME VALUE UNIT. Of every round the best counts, as the host's other load only ever
 * adds.
 */
#include "kit/base/clock.h"
#include "kit/base/mem.h"
#include "kit/http/chunk.h"
#include "kit/http/target.h"

#include <stdio.h>

enum { ROUNDS = 300, ROUND_BYTES = 1 << 17, INPUT_MAX = 1 << 17 };

static const struct head_limits limits = {.head_bytes = 16384, .body_bytes = SIZE_MAX};

static const char small[] =
    "GET /v1/users/0197c0de-0000-7000-8000-000000000001 HTTP/1.1\r\n"
    "Host: api.example\r\n"
    "User-Agent: viaduct-client/1.0\r\n"
    "Accept: application/json\r\n"
    "Authorization: Bearer aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n\r\n";

/* As a browser sends it, with a token. */
static const char browser[] =
    "GET /v1/orders?limit=20&sort=-created_at HTTP/1.1\r\n"
    "Host: api.example\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 "
    "Firefox/140.0\r\n"
    "Accept: application/json\r\n"
    "Accept-Language: en-US,en;q=0.5\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\n"
    "Referer: https://app.example/orders\r\n"
    "Authorization: Bearer "
    "eyJhbGciOiJFZERTQSIsInR5cCI6ImF0K2p3dCIsImtpZCI6ImtleS0xIn0."
    "eyJpc3MiOiJ2aWFkdWN0IiwiYXVkIjoidmlhZHVjdC1hcGkiLCJzdWIiOiIwMTk3YzBkZS0wMDAwLTcwMDAt"
    "ODAwMC0wMDAwMDAwMDAwMDEiLCJzaWQiOiIwMTk3YzBkZS0wMDAwLTcwMDAtODAwMC0wMDAwMDAwMDAwMDIi"
    "LCJqdGkiOiIwMTk3YzBkZS0wMDAwLTcwMDAtODAwMC0wMDAwMDAwMDAwMDMiLCJyb2xlcyI6WyJ1c2VyIl19"
    "."
    "c2lnbmF0dXJlLXNpZ25hdHVyZS1zaWduYXR1cmUtc2lnbmF0dXJlLXNpZ25hdHVyZS1zaWduYXR1cmUtc2ln"
    "\r\n"
    "Origin: https://app.example\r\n"
    "Connection: keep-alive\r\n"
    "Sec-Fetch-Dest: empty\r\n"
    "Sec-Fetch-Mode: cors\r\n"
    "Sec-Fetch-Site: same-site\r\n\r\n";

/* ---- runs: one pass over the input ---- */

static void read_head(struct str in)
{
    struct target target;
    struct arena a;
    struct head h;

    head_init(&h, &limits);
    arena_init(&a);
    head_feed(&h, in);
    if (h.state != HEAD_DONE || !target_parse(&a, head_str(&h, h.target), &target))
        mem_die("filter_bench: a good head was refused");
    arena_fini(&a);
    head_fini(&h);
}

/* What anybody has to do who keeps a head. */
static void copy_head(struct str in)
{
    struct buf b;

    buf_init(&b, limits.head_bytes);
    buf_put(&b, in.p, in.n);
    __asm__ volatile("" ::"r"(b.p) : "memory");
    buf_fini(&b);
}

static void read_chunks(struct str in)
{
    struct chunk c;
    size_t at = 0, body = 0;

    chunk_init(&c, &limits);
    while (at < in.n && c.state < CHUNK_DONE) {
        struct str data;

        at += chunk_feed(&c, (struct str){in.p + at, in.n - at}, &data);
        body += data.n;
    }
    if (c.state != CHUNK_DONE || body == 0)
        mem_die("filter_bench: a good body was refused");
}

static double best_ns(void (*run)(struct str in), struct str in)
{
    int turns = (int)(ROUND_BYTES / in.n) + 1;
    double best = 1e12;

    for (int round = 0; round < ROUNDS; round++) {
        int64_t start = clock_mono_us();
        double ns;

        for (int i = 0; i < turns; i++)
            run(in);
        ns = (double)(clock_mono_us() - start) * 1e3 / turns;
        best = ns < best ? ns : best;
    }
    return best;
}

/* ---- inputs ---- */

/* Many fields, 16 KiB. */
static struct str large_head(void)
{
    static char text[16384];
    size_t n = (size_t)snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: a\r\n");

    for (int i = 0; i < 60; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "X-Field-Number-%d: %0200d\r\n",
                              i, i);
    n += (size_t)snprintf(text + n, sizeof text - n, "\r\n");
    return (struct str){text, n};
}

static struct str chunks_of(size_t bytes)
{
    static char text[2 * INPUT_MAX];
    size_t n = 0;

    while (n < INPUT_MAX) {
        n += (size_t)snprintf(text + n, sizeof text - n, "%zx\r\n", bytes);
        memset(text + n, 'x', bytes);
        memcpy(text + n + bytes, "\r\n", 2);
        n += bytes + 2;
    }
    n += (size_t)snprintf(text + n, sizeof text - n, "0\r\n\r\n");
    return (struct str){text, n};
}

/* ---- figures ---- */

static void figure(const char *name, double value, const char *unit)
{
    printf("%s %.1f %s\n", name, value, unit);
}

static void throughput(const char *name, void (*run)(struct str in), struct str in)
{
    figure(name, (double)in.n * 1e3 / best_ns(run, in), "MB/s");
}

int main(void)
{
    const struct str heads[] = {{small, sizeof small - 1}, {browser, sizeof browser - 1}};
    static const char *const names[] = {"small", "browser"};
    static const size_t sizes[] = {16, 256, 1024};
    char name[64];

    for (size_t i = 0; i < 2; i++) {
        double on = best_ns(read_head, heads[i]), off = best_ns(copy_head, heads[i]);

        (void)snprintf(name, sizeof name, "filter.%s.on", names[i]);
        figure(name, on, "ns");
        (void)snprintf(name, sizeof name, "filter.%s.off", names[i]);
        figure(name, off, "ns");
        (void)snprintf(name, sizeof name, "decoder.head.%s", names[i]);
        figure(name, (double)heads[i].n * 1e3 / on, "MB/s");
    }
    throughput("decoder.head.large", read_head, large_head());
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        (void)snprintf(name, sizeof name, "decoder.chunks.%zu", sizes[i]);
        throughput(name, read_chunks, chunks_of(sizes[i]));
    }
    return 0;
}
