// SPDX-License-Identifier: Apache-2.0
/*
 * Parameters of a query: what the caller gave (pg_param) and what is sent (pg_value).
 * Pure; memory comes from the flow's arena.
 */
#ifndef KIT_PG_PARAMS_H
#define KIT_PG_PARAMS_H

#include "kit/pg/pg.h"

enum pg_param_kind {
    PG_PARAM_NULL,
    PG_PARAM_UUID,
    PG_PARAM_STR,
    PG_PARAM_BYTES,
    PG_PARAM_INT,
    PG_PARAM_FLAG,
    PG_PARAM_TIME,
    PG_PARAM_UUIDS,
    PG_PARAM_INTS,
    PG_PARAM_STRS,
};

struct pg_param {
    enum pg_param_kind kind;
    union {
        struct uuid uuid;
        struct str s;
        int64_t i;
        struct {
            const void *v;
            size_t n;
        } array;
    };
};

/* As libpq takes it: p == NULL is SQL NULL; `binary` or else text with a NUL at its end.
 */
struct pg_value {
    const char *p;
    int n;
    bool binary;
    char room[16]; /* for short binary forms; p points here then */
};

/* p in the form that a parameter of type `oid` takes. false when there is none: a string
 * for an array, an integer out of range. out must not move afterwards. */
MUST_CHECK bool pg_encode(struct arena *a, const struct pg_param *p, unsigned oid,
                          struct pg_value *out);

#endif
