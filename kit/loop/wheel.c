// SPDX-License-Identifier: Apache-2.0
/* The timer wheel; ticks count from the start of the monotonic clock. */
#include "kit/loop/wheel.h"

#include <string.h>

enum { TICK_US = LOOP_TICK_MS * 1000 };

void wheel_init(struct wheel *w, int64_t now_us)
{
    for (size_t i = 0; i < WHEEL_SLOTS; i++)
        list_init(&w->slots[i]);
    memset(w->used, 0, sizeof w->used);
    w->tick = now_us / TICK_US;
    w->next = INT64_MAX;
}

static bool is_used(const struct wheel *w, size_t slot)
{
    return w->used[slot / 64] >> slot % 64 & 1;
}

void wheel_add(struct wheel *w, struct loop_timer *t)
{
    int64_t due = t->due_us / TICK_US + (t->due_us % TICK_US != 0); /* never early */
    size_t slot;

    if (due <= w->tick)
        due = w->tick + 1;
    slot = (size_t)due % WHEEL_SLOTS;
    if (!is_used(w, slot) || due < w->earliest[slot])
        w->earliest[slot] = due;
    w->used[slot / 64] |= (uint64_t)1 << slot % 64;
    if (due < w->next)
        w->next = due;
    list_push(&w->slots[slot], &t->link);
}

/* Takes what is due out of a slot and learns anew when the rest is. */
static void visit_slot(struct wheel *w, size_t slot, struct list *due)
{
    struct list *head = &w->slots[slot];
    struct list *next;

    w->earliest[slot] = INT64_MAX;
    for (struct list *it = head->next; it != head; it = next) {
        const struct loop_timer *t = CONTAINER_OF(it, struct loop_timer, link);
        int64_t tick = t->due_us / TICK_US + (t->due_us % TICK_US != 0);

        next = it->next;
        if (tick <= w->tick) {
            list_remove(it);
            list_push(due, it);
        } else if (tick < w->earliest[slot]) {
            w->earliest[slot] = tick;
        }
    }
    if (list_empty(head))
        w->used[slot / 64] &= ~((uint64_t)1 << slot % 64);
}

/* The first used slot at or after `from`, WHEEL_SLOTS when there is none. */
static size_t next_used(const struct wheel *w, size_t from)
{
    for (size_t word = from / 64; word < WHEEL_WORDS; word++) {
        uint64_t bits = w->used[word];

        if (word == from / 64)
            bits &= ~(uint64_t)0 << from % 64;
        if (bits)
            return word * 64 + (size_t)__builtin_ctzll(bits);
    }
    return WHEEL_SLOTS;
}

/* From the slot after the present one once around; a slot whose earliest timer is due in
 * this round ends the search, as no later slot can have an earlier one. */
static int64_t find_next(const struct wheel *w)
{
    size_t start = (size_t)(w->tick + 1) % WHEEL_SLOTS;
    int64_t best = INT64_MAX;

    for (int part = 0; part < 2; part++) {
        size_t end = part ? start : WHEEL_SLOTS;

        for (size_t s = next_used(w, part ? 0 : start); s < end;
             s = next_used(w, s + 1)) {
            if (w->earliest[s] < best)
                best = w->earliest[s];
            if (w->earliest[s] <= w->tick + WHEEL_SLOTS)
                return best;
        }
    }
    return best;
}

void wheel_advance(struct wheel *w, int64_t now_us, struct list *due)
{
    int64_t first = w->tick + 1;
    int64_t now = now_us / TICK_US;

    if (now <= w->tick)
        return;
    w->tick = now;
    if (now < w->next)
        return;
    if (now - first >= WHEEL_SLOTS)
        first = now - WHEEL_SLOTS + 1;
    for (int64_t tick = first; tick <= now; tick++)
        if (is_used(w, (size_t)tick % WHEEL_SLOTS))
            visit_slot(w, (size_t)tick % WHEEL_SLOTS, due);
    w->next = find_next(w);
}

int64_t wheel_next_us(const struct wheel *w)
{
    return w->next > INT64_MAX / TICK_US ? INT64_MAX : w->next * TICK_US;
}
