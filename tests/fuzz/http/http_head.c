// SPDX-License-Identifier: Apache-2.0
/*
 * The head and chunk machines on anything: what they say of bytes does not depend on how
 * the bytes are cut, all they describe lies within what they took, and a rejection stays.
 * The first byte chooses the cut.
 */
#include "kit/http/chunk.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct head_limits limits = {.head_bytes = 4096, .body_bytes = 4096};

static void require(bool holds)
{
    if (!holds)
        abort();
}

static size_t feed_head(struct head *h, struct str in, size_t step)
{
    size_t at = 0;

    head_init(h, &limits);
    while (at < in.n && h->state < HEAD_DONE) {
        size_t n = in.n - at < step ? in.n - at : step;
        size_t used = head_feed(h, (struct str){in.p + at, n});

        require(used > 0 && used <= n);
        at += used;
    }
    return at;
}

static void check_part(const struct head *h, struct head_part part)
{
    require(part.at <= h->lines.n && part.n <= h->lines.n - part.at);
}

static void check_head(const struct head *h)
{
    require(h->lines.n <= limits.head_bytes);
    check_part(h, h->target);
    for (unsigned i = 0; i < h->n_fields; i++) {
        check_part(h, h->fields[i].name);
        check_part(h, h->fields[i].value);
    }
    if (h->state == HEAD_DONE)
        require(h->length <= limits.body_bytes && !(h->chunked && h->has_length));
}

static void check_sticky(struct head *h)
{
    enum head_reject why = h->reject;

    if (h->state != HEAD_REJECTED)
        return;
    require(head_feed(h, STR("GET / HTTP/1.1\r\nHost: a\r\n\r\n")) == 0);
    require(h->state == HEAD_REJECTED && h->reject == why);
}

struct body {
    struct chunk c;
    size_t at, n;
    char bytes[4096];
};

static void feed_chunks(struct body *b, struct str in, size_t step)
{
    chunk_init(&b->c, &limits);
    b->at = b->n = 0;
    while (b->at < in.n && b->c.state < CHUNK_DONE) {
        size_t left = in.n - b->at;
        struct str data;

        b->at += chunk_feed(&b->c, (struct str){in.p + b->at, left < step ? left : step},
                            &data);
        require(b->n + data.n <= sizeof b->bytes);
        memcpy(b->bytes + b->n, data.p, data.n);
        b->n += data.n;
    }
}

static void check_chunks(struct str in, size_t step)
{
    static struct body one, other;

    feed_chunks(&one, in, SIZE_MAX);
    feed_chunks(&other, in, step);
    require(one.at == other.at && one.n == other.n && one.c.state == other.c.state);
    require(one.c.reject == other.c.reject && memcmp(one.bytes, other.bytes, one.n) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct head whole, cut;
    struct str in;
    size_t step, used;

    if (size < 1)
        return 0;
    step = data[0] % 32 + 1U;
    in = (struct str){(const char *)data + 1, size - 1};
    used = feed_head(&whole, in, SIZE_MAX);
    /* of a refused head it does not matter how much was taken */
    require(used == feed_head(&cut, in, step) || whole.state == HEAD_REJECTED);
    require(whole.state == cut.state && whole.reject == cut.reject);
    require(whole.n_fields == cut.n_fields && whole.length == cut.length);
    check_head(&whole);
    check_chunks(whole.chunked ? (struct str){in.p + used, in.n - used} : in, step);
    check_sticky(&whole);
    head_fini(&whole);
    head_fini(&cut);
    return 0;
}
