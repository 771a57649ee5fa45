// SPDX-License-Identifier: Apache-2.0
/* Counting the reports of one batch. */
#include "kit/outbox/round.h"

#include "kit/base/mem.h"

#include <stdlib.h>

struct row {
    struct round *round;
    int64_t seq;
};

struct round {
    void (*finished)(void *owner, struct round *r);
    void *owner;
    struct row *rows;
    int64_t *persisted;
    unsigned n, max, open, n_persisted;
    bool sealed, abandoned;
};

struct round *round_create(unsigned rows_max,
                           void (*finished)(void *owner, struct round *r), void *owner)
{
    struct round *r = MEM_NEW(struct round);

    r->finished = finished;
    r->owner = owner;
    r->max = rows_max;
    r->rows = mem_alloc(rows_max * sizeof *r->rows);
    r->persisted = mem_alloc(rows_max * sizeof *r->persisted);
    return r;
}

void round_destroy(struct round *r)
{
    if (!r)
        return;
    free(r->rows);
    free(r->persisted);
    free(r);
}

static void settle(struct round *r)
{
    if (r->open || !(r->sealed || r->abandoned))
        return;
    if (r->abandoned)
        round_destroy(r);
    else
        r->finished(r->owner, r);
}

void round_abandon(struct round *r)
{
    if (!r)
        return;
    r->abandoned = true;
    settle(r);
}

void *round_row(struct round *r, int64_t seq)
{
    struct row *row = &r->rows[r->n];

    if (r->n == r->max)
        mem_die("outbox: a round of more than %u rows", r->max);
    row->round = r;
    row->seq = seq;
    r->n++;
    r->open++;
    return row;
}

void round_row_back(struct round *r)
{
    r->n--;
    r->open--;
}

void round_report(void *token, bool ok)
{
    struct row *row = token;
    struct round *r = row->round;

    if (ok)
        r->persisted[r->n_persisted++] = row->seq;
    r->open--;
    settle(r);
}

void round_sealed(struct round *r)
{
    r->sealed = true;
    settle(r);
}

unsigned round_sent(const struct round *r)
{
    return r->n;
}

const int64_t *round_persisted(const struct round *r, unsigned *n)
{
    *n = r->n_persisted;
    return r->persisted;
}
