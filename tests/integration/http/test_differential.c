// SPDX-License-Identifier: Apache-2.0
/*
 * Random pipelines, most of them damaged (VIADUCT_CASES of them), and what the fuzzer of
 * the machines has kept: evhttp must read exactly the requests, with exactly the bodies,
 * that the machines let through; never one more out of a body.
 */
#include "harness.h"
#include "kit/http/chunk.h"
#include "kit/http/target.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { CASES = 3000, PIPELINE_MAX = 4, BYTES_MAX = 1 << 16 };

static const struct head_limits limits = {.head_bytes = 16384, .body_bytes = 65536};

/* ---- what is sent ---- */

static void put_request(struct buf *b)
{
    static const char hidden[] = "GET /echo?hidden HTTP/1.1\r\nHost: a\r\n\r\n";
    const char *body = random_u32() % 2 ? hidden : "some body";
    size_t n = strlen(body);

    switch (random_u32() % 5) {
    case 0: buf_str(b, STR("GET /echo?get HTTP/1.1\r\nHost: a\r\n\r\n")); break;
    case 1: buf_str(b, STR("HEAD /echo HTTP/1.1\r\nHost: a\r\nX-Send: y\r\n\r\n")); break;
    case 2:
        buf_printf(b,
                   "POST /e%%63ho HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n%s",
                   n, body);
        break;
    case 3:
        buf_printf(b,
                   "PUT /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                   "%zx;ext=1\r\n%s\r\n3\r\nabc\r\n0\r\nX-Trailer: t\r\n\r\n",
                   n, body);
        break;
    default:
        buf_str(
            b,
            STR("DELETE http://a/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"));
    }
}

static void damage(struct buf *b)
{
    static const char bytes[] = "\r\n :;,/?%0123456789aTCx\0\t\x80+-";
    size_t at = random_u32() % b->n;
    char c = bytes[random_u32() % (sizeof bytes - 1)];

    switch (random_u32() % 3) {
    case 0: b->p[at] = c; break;
    case 1: /* drop one */
        memmove(b->p + at, b->p + at + 1, b->n - at - 1);
        b->n--;
        break;
    default: /* put one in */
        buf_byte(b, 0);
        memmove(b->p + at + 1, b->p + at, b->n - at - 1);
        b->p[at] = c;
    }
}

static void make_case(struct buf *b)
{
    buf_reset(b);
    for (unsigned n = random_u32() % PIPELINE_MAX; n > 0; n--)
        put_request(b);
    put_request(b);
    for (unsigned n = random_u32() % 3; n > 0; n--)
        damage(b);
    buf_str(b, STR("GET /echo?last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
}

/* ---- what the machines say of it ---- */

struct model {
    struct buf answers; /* bodies of the answers, one after the other */
    bool refused;       /* a refusal follows them */
    bool incomplete;    /* more would have to come */
};

static bool model_body(const struct head *h, struct str *in, struct buf *body)
{
    struct chunk c;
    struct str data;
    size_t n = h->length < in->n ? (size_t)h->length : in->n;

    if (!h->chunked) {
        buf_put(body, in->p, n);
        *in = (struct str){in->p + n, in->n - n};
        return n == h->length;
    }
    chunk_init(&c, &limits);
    while (in->n > 0 && c.state < CHUNK_DONE) {
        n = chunk_feed(&c, *in, &data);
        buf_put(body, data.p, data.n);
        *in = (struct str){in->p + n, in->n - n};
    }
    if (c.state == CHUNK_REJECTED)
        in->p = NULL;
    return c.state == CHUNK_DONE;
}

static void model_answer(struct model *m, const struct head *h, const struct target *t,
                         const struct buf *body)
{
    if (h->method != HTTP_HEAD)
        buf_printf(&m->answers, "%s %.*s %.*s %.*s", http_method_name(h->method),
                   STR_FMT(t->path), STR_FMT(t->query), (int)body->n,
                   body->p ? body->p : "");
}

/* One request; false when nothing comes after it. */
static bool model_request(struct model *m, struct str *in)
{
    struct target t = {0};
    struct arena a;
    struct head h;
    struct buf body;
    size_t n;
    bool more;

    arena_init(&a);
    buf_init(&body, BYTES_MAX);
    head_init(&h, &limits);
    n = head_feed(&h, *in);
    *in = (struct str){in->p + n, in->n - n};
    m->incomplete = h.state < HEAD_DONE;
    m->refused = h.state == HEAD_REJECTED ||
                 (h.state == HEAD_DONE && !target_parse(&a, head_str(&h, h.target), &t));
    if (h.state == HEAD_DONE && !m->refused) {
        m->incomplete = !model_body(&h, in, &body);
        m->refused = in->p == NULL;
        if (!m->incomplete)
            model_answer(m, &h, &t, &body);
    }
    more = !m->incomplete && !m->refused && h.keep_alive;
    head_fini(&h);
    buf_fini(&body);
    arena_fini(&a);
    return more;
}

static void model_all(struct model *m, struct str in)
{
    buf_reset(&m->answers);
    while (model_request(m, &in))
        ;
}

/* ---- what the server says ---- */

/* Takes the answers of status 200 apart; *refused: one of another status came last. */
static void read_answers(char *text, struct buf *bodies, bool *refused)
{
    buf_reset(bodies);
    *refused = false;
    while (strncmp(text, "HTTP/1.1 200", 12) == 0) {
        char *end = strstr(text, "\r\n\r\n");
        char *length = strstr(text, "Content-Length: ");
        size_t n = strtoul(length + 16, NULL, 10);

        text = end + 4;
        if (strncmp(text, "HTTP/1.1", 8) == 0 || *text == 0) /* to HEAD */
            continue;
        buf_put(bodies, text, n);
        text += n;
    }
    *refused = *text != 0;
}

/* ---- both ---- */

struct rig {
    struct harness h;
    struct model m;
    struct buf sent, got;
};

static void begin(struct rig *r)
{
    *r = (struct rig){0};
    harness_start(&r->h, (struct http_conf){0});
    buf_init(&r->sent, BYTES_MAX);
    buf_init(&r->got, BYTES_MAX);
    buf_init(&r->m.answers, BYTES_MAX);
}

static void end(struct rig *r)
{
    buf_fini(&r->sent);
    buf_fini(&r->got);
    buf_fini(&r->m.answers);
    harness_stop(&r->h);
}

/* True when there was something to compare: not when more would have to come. */
static bool compare(struct rig *r)
{
    static char answer[BYTES_MAX];
    struct str sent = buf_view(&r->sent);
    int fd = client_connect(&r->h);
    bool refused, whole;

    model_all(&r->m, sent);
    whole = !r->m.incomplete || r->m.refused;
    client_send(fd, sent);
    if (whole) {
        client_read_all(fd, answer, sizeof answer);
        read_answers(answer, &r->got, &refused);
        cr_assert_eq(refused, r->m.refused, "%.*s", STR_FMT(sent));
        cr_assert(str_eq(buf_view(&r->got), buf_view(&r->m.answers)), "%.*s\ngave\n%s",
                  STR_FMT(sent), answer);
    }
    close(fd);
    return whole;
}

Test(differential, evhttp_reads_what_the_machines_let_through)
{
    const char *asked = getenv("VIADUCT_CASES");
    long cases = asked ? strtol(asked, NULL, 10) : CASES;
    struct rig r;

    begin(&r);
    while (cases-- > 0) {
        make_case(&r.sent);
        (void)compare(&r);
    }
    end(&r);
}

/* ---- the fuzzer's ---- */

#define LAST "GET /echo?last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

/* Its first byte is the fuzzer's own. */
static bool read_kept(struct buf *b, const char *folder, const char *name)
{
    char path[512];
    FILE *f;
    size_t n;

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    f = *name != '.' ? fopen(path, "re") : NULL;
    if (!f)
        return false;
    buf_reset(b);
    n = fread(buf_grow(b, BYTES_MAX / 2), 1, BYTES_MAX / 2, f);
    (void)fclose(f);
    b->n = n;
    if (n > 0)
        buf_consume(b, 1);
    buf_str(b, STR(LAST));
    return true;
}

Test(differential, evhttp_reads_what_the_fuzzer_has_kept)
{
    char folder[512];
    int compared = 0;
    struct dirent *e;
    struct rig r;
    DIR *d;

    (void)snprintf(folder, sizeof folder, "%s/tests/fuzz/http/corpus/http_head",
                   getenv("VIADUCT_SOURCE"));
    d = opendir(folder);
    cr_assert_not_null(d);
    begin(&r);
    while ((e = readdir(d)))
        if (read_kept(&r.sent, folder, e->d_name))
            compared += compare(&r);
    closedir(d);
    end(&r);
    cr_expect_gt(compared, 100, "%d", compared);
}
