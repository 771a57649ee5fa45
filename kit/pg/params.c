// SPDX-License-Identifier: Apache-2.0
/* Taking parameters from the caller. */
#include "kit/pg/params.h"

enum { FIRST_ROOM = 8 };

static struct pg_param *next_param(struct pg_query *q)
{
    if (q->n_params == q->params_room) {
        int room = q->params_room ? q->params_room * 2 : FIRST_ROOM;
        struct pg_param *more = ARENA_ARRAY(q->arena, struct pg_param, (size_t)room);

        if (q->n_params)
            memcpy(more, q->params, sizeof *more * (size_t)q->n_params);
        q->params = more;
        q->params_room = room;
    }
    return &q->params[q->n_params++];
}

void pg_null(struct pg_query *q)
{
    *next_param(q) = (struct pg_param){.kind = PG_PARAM_NULL};
}

void pg_uuid(struct pg_query *q, struct uuid v)
{
    *next_param(q) = (struct pg_param){.kind = PG_PARAM_UUID, .uuid = v};
}

void pg_str(struct pg_query *q, struct str v)
{
    *next_param(q) =
        (struct pg_param){.kind = v.p ? PG_PARAM_STR : PG_PARAM_NULL, .s = v};
}

void pg_bytes(struct pg_query *q, struct str v)
{
    *next_param(q) =
        (struct pg_param){.kind = v.p ? PG_PARAM_BYTES : PG_PARAM_NULL, .s = v};
}

void pg_i64(struct pg_query *q, int64_t v)
{
    *next_param(q) = (struct pg_param){.kind = PG_PARAM_INT, .i = v};
}

void pg_i32(struct pg_query *q, int32_t v)
{
    pg_i64(q, v);
}

void pg_flag(struct pg_query *q, bool v)
{
    *next_param(q) = (struct pg_param){.kind = PG_PARAM_FLAG, .i = v};
}

void pg_time(struct pg_query *q, int64_t wall_us)
{
    *next_param(q) = (struct pg_param){.kind = PG_PARAM_TIME, .i = wall_us};
}

void pg_i64_opt(struct pg_query *q, bool has, int64_t v)
{
    if (has)
        pg_i64(q, v);
    else
        pg_null(q);
}

void pg_flag_opt(struct pg_query *q, bool has, bool v)
{
    if (has)
        pg_flag(q, v);
    else
        pg_null(q);
}

void pg_time_opt(struct pg_query *q, bool has, int64_t wall_us)
{
    if (has)
        pg_time(q, wall_us);
    else
        pg_null(q);
}

void pg_uuid_opt(struct pg_query *q, bool has, struct uuid v)
{
    if (has)
        pg_uuid(q, v);
    else
        pg_null(q);
}

static void array(struct pg_query *q, enum pg_param_kind kind, const void *v, size_t n)
{
    *next_param(q) = (struct pg_param){.kind = kind, .array = {v, n}};
}

void pg_uuid_array(struct pg_query *q, const struct uuid *v, size_t n)
{
    array(q, PG_PARAM_UUIDS, v, n);
}

void pg_i64_array(struct pg_query *q, const int64_t *v, size_t n)
{
    array(q, PG_PARAM_INTS, v, n);
}

void pg_str_array(struct pg_query *q, const struct str *v, size_t n)
{
    array(q, PG_PARAM_STRS, v, n);
}
