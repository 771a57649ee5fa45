// SPDX-License-Identifier: Apache-2.0
/* The ceiling doubles with each attempt; the draw is uniform below it. */
#include "kit/guard/backoff.h"

#include "kit/base/id.h"

static int64_t ceiling(int64_t base_ms, int64_t cap_ms, unsigned attempt)
{
    int64_t top = base_ms;

    while (attempt-- > 0 && top < cap_ms)
        top = top > INT64_MAX / 2 ? INT64_MAX : top * 2;
    return top < cap_ms ? top : cap_ms;
}

int64_t backoff_ms(int64_t base_ms, int64_t cap_ms, unsigned attempt)
{
    int64_t top, low;
    uint64_t draw;

    if (base_ms <= 0 || cap_ms <= 0)
        return 0;
    top = ceiling(base_ms, cap_ms, attempt);
    low = base_ms / 2 < top ? base_ms / 2 : top;
    draw = (uint64_t)random_u32() << 32 | random_u32();
    return low + (int64_t)(draw % ((uint64_t)(top - low) + 1));
}
