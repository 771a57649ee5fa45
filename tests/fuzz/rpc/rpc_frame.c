// SPDX-License-Identifier: Apache-2.0
/*
 * A message of the hop from a hostile peer. What reads well must be written again to the
 * same bytes but for what readers ignore, and error bodies must decode to some error.
 */
#include "kit/base/mem.h"
#include "kit/rpc/envelope.h"
#include "kit/rpc/frame.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_error(const struct rpc_frame *f)
{
    struct arena a;

    if (f->type != RPC_REPLY && f->type != RPC_END)
        return;
    arena_init(&a);
    if (!rpc_envelope_read(&a, f->body, NULL)->code->name)
        mem_die("an error without a name");
    arena_fini(&a);
}

/* Written and read again it is the same frame. */
static void check_round(const struct rpc_frame *f)
{
    size_t n = rpc_frame_size(f);
    char *first = mem_alloc(n), *second = mem_alloc(n);
    struct rpc_reader r = {first, first + n, 0};
    struct rpc_frame again;

    if (rpc_frame_write(first, f) != first + n)
        mem_die("the size is not what was written");
    if (rpc_frame_read(&r, &again) != RPC_READ_FRAME || rpc_frame_size(&again) != n)
        mem_die("what was written cannot be read");
    rpc_frame_write(second, &again);
    if (memcmp(first, second, n) != 0)
        mem_die("it has changed on the way");
    free(first);
    free(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rpc_reader r;
    struct rpc_head head;
    struct rpc_frame f;

    if (!rpc_reader_init(&r, (struct str){(const char *)data, size}, &head))
        return 0;
    while (rpc_frame_read(&r, &f) == RPC_READ_FRAME) {
        check_round(&f);
        read_error(&f);
    }
    return 0;
}
