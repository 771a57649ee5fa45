// SPDX-License-Identifier: Apache-2.0
/*
 * A connection of the hop from a hostile peer: its bytes as they come off the socket, cut
 * anywhere. Two bytes say which end reads and how it is cut. However it is cut, the same
 * messages must come out, and none may be longer than is allowed.
 */
#include "kit/base/mem.h"
#include "kit/rpc/sp_wire.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    unsigned messages;
    size_t bytes;
    uint32_t sum;
    bool bad;
};

static void take_message(struct seen *s, struct rpc_inbound *in)
{
    if (in->bytes.n > RPC_MESSAGE_MAX)
        mem_die("a message of %zu bytes", in->bytes.n);
    s->messages++;
    s->bytes += in->bytes.n;
    for (size_t i = 0; i < in->bytes.n; i++)
        s->sum = s->sum * 31 + (uint8_t)in->bytes.p[i];
    rpc_inbound_drop(in);
}

static struct seen read_cut(const char *bytes, size_t n, size_t cut, uint8_t kind)
{
    struct sp_reader r = {.ipc = kind & 1, .peer = kind & 2 ? SP_REQ : SP_REP};
    struct seen s = {0};

    while (n > 0 && !s.bad) {
        struct str got = {bytes, n < cut ? n : cut};
        struct rpc_inbound *in;
        enum sp_part part;

        bytes += got.n;
        n -= got.n;
        while ((part = sp_reader_next(&r, &got, &in)) != SP_MORE && part != SP_BAD)
            if (part == SP_MESSAGE)
                take_message(&s, in);
        s.bad = part == SP_BAD;
    }
    sp_reader_reset(&r);
    return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct seen whole, cut;

    if (size < 2)
        return 0;
    whole = read_cut((const char *)data + 2, size - 2, size, data[0]);
    cut = read_cut((const char *)data + 2, size - 2, 1 + data[1] % 32, data[0]);
    if (whole.messages != cut.messages || whole.bytes != cut.bytes ||
        whole.sum != cut.sum || whole.bad != cut.bad)
        mem_die("it depends on how it is cut");
    return 0;
}
