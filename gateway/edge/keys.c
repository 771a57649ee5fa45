// SPDX-License-Identifier: Apache-2.0
/* See gateway/edge/keys.h. One fetch at a time; those who wait for it are in a list. */
#include "gateway/edge/keys.h"

#include "kit/base/clock.h"
#include "kit/base/mem.h"
#include "proto/roles.h"
#include "proto/users.h"

#include <stdlib.h>

enum {
    FETCH_TIMEOUT_MS = 1500,
    FRESH_MS = 60000,
    AGAIN_MS = 20, /* until the first fetch has worked */
    UNKNOWN_KEY_MS = 1000,
    JWKS_MAX = 65536,
};

struct keys {
    struct loop *loop;
    struct rpc_client *rpc;
    struct jwt_keyring *ring;
    struct buf json, next;
    atomic_bool loaded;
    struct flow *fetch; /* under way */
    int64_t fetched_us; /* when the last one began */
    struct list waiting;
    struct loop_timer timer;
};

struct fetch {
    struct empty in;
    struct jwks out;
};

struct keys_wait {
    struct wait wait;
    struct list link;
};

static void adopt(struct keys *k, struct flow *f, const struct jwks *jwks)
{
    const struct err *e;

    buf_reset(&k->next);
    wire_to_json(&k->next, &jwks_msg, jwks);
    e = jwt_keyring_load_jwks(k->ring, &f->arena, buf_view(&k->next));
    if (e || k->next.failed) {
        LOG_ERROR(NULL, "keys.bad", KV("detail", e ? e->detail : STR("too many")));
        return;
    }
    buf_reset(&k->json);
    buf_str(&k->json, buf_view(&k->next));
    atomic_store(&k->loaded, true);
}

static void fetched(struct flow *f, const struct err *e)
{
    struct keys *k = f->owner;
    struct fetch *state = f->state;
    struct list *it;

    k->fetch = NULL;
    if (!e)
        adopt(k, f, &state->out);
    else if (keys_loaded(k)) /* at start the service may not be there yet */
        LOG_WARN(NULL, "keys.not_fetched", KV("code", e->code->name));
    loop_timer_set(&k->timer, keys_loaded(k) ? FRESH_MS : AGAIN_MS);
    while ((it = list_pop(&k->waiting)))
        wait_end(&CONTAINER_OF(it, struct keys_wait, link)->wait, NULL);
}

static enum step fetch_done(struct flow *f)
{
    return flow_done(f);
}

static enum step fetch_begin(struct flow *f)
{
    struct keys *k = f->owner;
    struct fetch *state = f->state;

    return rpc_await(f, k->rpc, &USERS_JWKS, &state->in, &state->out, fetch_done);
}

static void fetch(struct keys *k)
{
    if (k->fetch)
        return;
    k->fetched_us = clock_mono_us();
    k->fetch = flow_create(k->loop, FETCH_TIMEOUT_MS, fetched, k);
    k->fetch->priority = PRIORITY_VITAL;
    k->fetch->state = ARENA_NEW(&k->fetch->arena, struct fetch);
    flow_start(k->fetch, fetch_begin);
}

static void tick(struct loop_timer *t)
{
    fetch(CONTAINER_OF(t, struct keys, timer));
}

static void stop_waiting(struct wait *w)
{
    list_remove(&CONTAINER_OF(w, struct keys_wait, wait)->link);
}

void keys_wait(struct flow *f, struct keys *k)
{
    struct keys_wait *w = ARENA_NEW(&f->arena, struct keys_wait);
    bool recent = clock_mono_us() - k->fetched_us < UNKNOWN_KEY_MS * 1000;

    if (!k->fetch && recent)
        return;
    wait_begin(f, &w->wait, stop_waiting, false);
    list_push(&k->waiting, &w->link);
    fetch(k);
}

struct keys *keys_create(struct loop *l, struct rpc_client *rpc)
{
    struct keys *k = MEM_NEW(struct keys);

    k->loop = l;
    k->rpc = rpc;
    k->ring = jwt_keyring_create(ROLE_NAMES);
    buf_init(&k->json, JWKS_MAX);
    buf_init(&k->next, JWKS_MAX);
    list_init(&k->waiting);
    loop_timer_init(&k->timer, l, tick);
    loop_timer_set(&k->timer, 0);
    return k;
}

void keys_destroy(struct keys *k)
{
    if (!k)
        return;
    if (k->fetch)
        flow_cancel(k->fetch, ERR_STATIC(CANCELLED));
    loop_timer_clear(&k->timer);
    jwt_keyring_destroy(k->ring);
    buf_fini(&k->json);
    buf_fini(&k->next);
    free(k);
}

const struct jwt_keyring *keys_ring(const struct keys *k)
{
    return k->ring;
}

bool keys_loaded(const struct keys *k)
{
    return atomic_load(&k->loaded);
}

struct str keys_jwks(const struct keys *k)
{
    return keys_loaded(k) ? buf_view(&k->json) : (struct str){NULL, 0};
}
