// SPDX-License-Identifier: Apache-2.0
/* The PROXY header on anything: what comes of bytes does not depend on how they are cut,
 * and nothing behind a header is taken. The first byte chooses the cut. */
#include "kit/http/proxy_header.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static size_t feed(struct proxy_header *h, struct str in, size_t step)
{
    size_t at = 0;

    *h = (struct proxy_header){.n = 0};
    while (at < in.n && proxy_header_wants(h) > 0) {
        size_t n = proxy_header_wants(h);

        require(n <= PROXY_HEADER_MAX - h->n);
        n = n < step ? n : step;
        n = n < in.n - at ? n : in.n - at;
        proxy_header_feed(h, (struct str){in.p + at, n});
        at += n;
    }
    return at;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct proxy_header whole, cut;
    struct str in;
    size_t taken;

    if (size < 1)
        return 0;
    in = (struct str){(const char *)data + 1, size - 1};
    taken = feed(&whole, in, SIZE_MAX);
    require(feed(&cut, in, data[0] % 32 + 1U) == taken ||
            whole.state == PROXY_HEADER_REJECTED);
    require(whole.state == cut.state && (whole.why == NULL) == (cut.why == NULL));
    require(memcmp(&whole.source, &cut.source, sizeof whole.source) == 0);
    if (whole.state == PROXY_HEADER_DONE)
        require(taken == whole.n && proxy_header_wants(&whole) == 0);
    return 0;
}
