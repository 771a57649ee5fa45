// SPDX-License-Identifier: Apache-2.0
/*
 * Subscriptions, on a connection of their own that is opened by the first one. Every
 * listener hears of each time it may have missed something.
 */
#include "kit/base/mem.h"
#include "kit/cache/client.h"

#include <stdlib.h>

static bool on_channel(const struct redis_sub *s, struct str channel)
{
    return str_eq(str_of(s->channel), channel);
}

static void set_live(struct redis_sub *s, bool live)
{
    if (s->live == live)
        return;
    s->live = live;
    s->resync(s->arg, live);
}

static void subscribed(struct redis *r, struct str channel)
{
    LIST_EACH (it, &r->subs) {
        struct redis_sub *s = CONTAINER_OF(it, struct redis_sub, link);

        if (on_channel(s, channel))
            set_live(s, true);
    }
}

static void message(struct redis *r, struct str channel, struct str payload)
{
    LIST_EACH (it, &r->subs) {
        struct redis_sub *s = CONTAINER_OF(it, struct redis_sub, link);

        if (on_channel(s, channel))
            s->message(s->arg, payload);
    }
}

static struct str element(const redisReply *r, size_t i)
{
    return (struct str){r->element[i]->str, r->element[i]->len};
}

/* ["subscribe", channel, count] or ["message", channel, payload] */
static void on_push(redisAsyncContext *ac, void *reply, void *privdata)
{
    const redisReply *r = reply;
    struct redis_link *k = ac->data;

    (void)privdata;
    if (!r)
        return;
    if (r->type != REDIS_REPLY_ARRAY || r->elements != 3) {
        redis_link_drop(k, "subscribe");
        return;
    }
    if (str_eq(element(r, 0), STR("subscribe")))
        subscribed(k->arg, element(r, 1));
    else if (str_eq(element(r, 0), STR("message")))
        message(k->arg, element(r, 1), element(r, 2));
}

static void subscribe(struct redis *r, const struct redis_sub *s)
{
    redisAsyncCommand(r->subscriptions.ac, on_push, NULL, "SUBSCRIBE %s", s->channel);
}

static void on_ready(void *arg)
{
    struct redis *r = arg;

    LIST_EACH (it, &r->subs)
        subscribe(r, CONTAINER_OF(it, struct redis_sub, link));
}

static void on_lost(void *arg)
{
    struct redis *r = arg;

    LIST_EACH (it, &r->subs)
        set_live(CONTAINER_OF(it, struct redis_sub, link), false);
}

void redis_subscribe(struct redis *r, const char *channel,
                     void (*on_message)(void *arg, struct str payload),
                     void (*resync)(void *arg, bool connected), void *arg)
{
    struct redis_sub *s = MEM_NEW(struct redis_sub);

    *s = (struct redis_sub){.channel = mem_strdup(channel),
                            .message = on_message,
                            .resync = resync,
                            .arg = arg};
    list_init(&s->link);
    list_push(&r->subs, &s->link);
    redis_link_open(&r->subscriptions);
    if (r->subscriptions.state == REDIS_LINK_READY)
        subscribe(r, s);
}

static void free_sub(struct redis_sub *s)
{
    list_remove(&s->link);
    free(s->channel);
    free(s);
}

/* The channel stays subscribed; what nobody listens to is dropped. */
void redis_unsubscribe(struct redis *r, void *arg)
{
    for (struct list *it = r->subs.next; it != &r->subs;) {
        struct redis_sub *s = CONTAINER_OF(it, struct redis_sub, link);

        it = it->next;
        if (s->arg == arg)
            free_sub(s);
    }
}

void redis_pubsub_init(struct redis *r)
{
    list_init(&r->subs);
    redis_link_init(&r->subscriptions, r->loop, &r->url, "subscriptions");
    r->subscriptions.ready = on_ready;
    r->subscriptions.lost = on_lost;
    r->subscriptions.arg = r;
}

void redis_pubsub_fini(struct redis *r)
{
    redis_link_fini(&r->subscriptions);
    while (!list_empty(&r->subs))
        free_sub(CONTAINER_OF(r->subs.next, struct redis_sub, link));
}
