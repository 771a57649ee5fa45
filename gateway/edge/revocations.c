// SPDX-License-Identifier: Apache-2.0
/* See gateway/edge/revocations.h. */
#include "gateway/edge/revocations.h"

#include "gateway/edge/session_set.h"
#include "kit/base/clock.h"
#include "kit/base/mem.h"
#include "proto/users.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { SYNC_TIMEOUT_MS = 1000, CHECK_MS = 1000, AGAIN_MS = 100 };

struct revocations {
    struct loop *loop;
    struct redis *redis;
    struct rpc_client *rpc;
    struct session_set sessions;
    struct flow *sync; /* under way */
    bool behind;       /* news may have been missed since the last sync began */
    atomic_bool synced;
    struct loop_timer timer;
};

struct sync {
    struct empty in;
    struct revoked out;
};

static int64_t now_s(void)
{
    return clock_wall_us() / 1000000;
}

/* ---- the whole list ---- */

static void adopt(struct revocations *r, const struct revoked *list)
{
    for (size_t i = 0; i < list->sessions.n; i++) {
        const struct revoked_session *s = &list->sessions.v[i];

        session_set_add(&r->sessions, s->session_id, s->until / 1000000 + 1, now_s());
    }
    atomic_store(&r->synced, true);
}

static void sync_ended(struct flow *f, const struct err *e)
{
    struct revocations *r = f->owner;
    struct sync *state = f->state;

    r->sync = NULL;
    if (e) {
        r->behind = true;
        if (revocations_synced(r)) /* at start the service may not be there yet */
            LOG_WARN(NULL, "revocations.not_synced", KV("code", e->code->name));
    } else {
        adopt(r, &state->out);
    }
    loop_timer_set(&r->timer, r->behind ? AGAIN_MS : CHECK_MS);
}

static enum step sync_done(struct flow *f)
{
    return flow_done(f);
}

static enum step sync_begin(struct flow *f)
{
    struct revocations *r = f->owner;
    struct sync *state = f->state;

    return rpc_await(f, r->rpc, &USERS_REVOKED, &state->in, &state->out, sync_done);
}

static void sync(struct revocations *r)
{
    if (r->sync)
        return;
    r->behind = false;
    r->sync = flow_create(r->loop, SYNC_TIMEOUT_MS, sync_ended, r);
    r->sync->priority = PRIORITY_VITAL;
    r->sync->state = ARENA_NEW(&r->sync->arena, struct sync);
    flow_start(r->sync, sync_begin);
}

static void tick(struct loop_timer *t)
{
    struct revocations *r = CONTAINER_OF(t, struct revocations, timer);

    if (r->behind || !redis_up(r->redis))
        sync(r);
    else
        loop_timer_set(t, CHECK_MS);
}

/* ---- news ---- */

/* "SESSION-UUID UNIX-SECONDS" */
static void message(void *arg, struct str payload)
{
    struct revocations *r = arg;
    struct str until;
    struct str id = str_split(payload, ' ', &until);
    struct uuid session;
    int64_t until_s;

    if (uuid_parse(id, &session) && str_to_i64(until, 0, INT64_MAX / 1000000, &until_s))
        session_set_add(&r->sessions, session, until_s, now_s());
    else
        LOG_WARN(NULL, "revocations.bad_message", KV("bytes", (int64_t)payload.n));
}

/* What came between the last message and now is in the list, if it is fetched after now.
 */
static void missed(void *arg, bool connected)
{
    struct revocations *r = arg;

    (void)connected;
    r->behind = true;
    if (!r->sync)
        loop_timer_set(&r->timer, 0);
}

struct revocations *revocations_create(struct loop *l, struct redis *redis,
                                       struct rpc_client *rpc)
{
    struct revocations *r = MEM_NEW(struct revocations);

    r->loop = l;
    r->redis = redis;
    r->rpc = rpc;
    r->behind = true;
    session_set_init(&r->sessions);
    loop_timer_init(&r->timer, l, tick);
    loop_timer_set(&r->timer, 0);
    redis_subscribe(redis, REVOKED_CHANNEL, message, missed, r);
    return r;
}

void revocations_destroy(struct revocations *r)
{
    if (!r)
        return;
    redis_unsubscribe(r->redis, r);
    if (r->sync)
        flow_cancel(r->sync, ERR_STATIC(CANCELLED));
    loop_timer_clear(&r->timer);
    session_set_fini(&r->sessions);
    free(r);
}

bool revocations_have(const struct revocations *r, struct uuid session, int64_t at_s)
{
    return session_set_has(&r->sessions, session, at_s);
}

bool revocations_synced(const struct revocations *r)
{
    return atomic_load(&r->synced);
}
