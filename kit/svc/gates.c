// SPDX-License-Identifier: Apache-2.0
/* What readiness waits for, and the rows of /health. */
#include "kit/base/mem.h"
#include "kit/svc/internal.h"

struct svc_gate {
    struct list link;
    const char *name;
    _Atomic bool open;
};

struct dependency {
    struct list link;
    const char *name;
    bool (*up)(void *arg);
    void *arg;
};

/* A gate that asks. Lives in the arena of its loop. */
struct watch {
    struct list link;
    struct loop_timer timer;
    struct svc_gate *gate;
    bool (*up)(void *arg);
    void *arg;
};

struct svc_gate *svc_gate_add(struct svc *s, const char *name)
{
    struct svc_gate *g;

    pthread_mutex_lock(&s->lock);
    g = ARENA_NEW(&s->rows, struct svc_gate);
    g->name = arena_str(&s->rows, str_of(name)).p;
    list_push(&s->gates, &g->link);
    pthread_mutex_unlock(&s->lock);
    return g;
}

void svc_gate_open(struct svc_gate *g)
{
    atomic_store(&g->open, true);
}

static void ask(struct loop_timer *t)
{
    struct watch *w = CONTAINER_OF(t, struct watch, timer);

    if (w->up(w->arg))
        svc_gate_open(w->gate);
    else
        loop_timer_set(t, SVC_POLL_MS);
}

static struct svc_loop *loop_of(struct svc *s, const struct loop *l)
{
    for (unsigned i = 0; i < s->loop_count; i++)
        if (s->loops[i].loop == l)
            return &s->loops[i];
    mem_die("svc: a gate on a loop that is not of this program");
}

void svc_gate_when(struct svc *s, struct loop *l, const char *name, bool (*up)(void *arg),
                   void *arg)
{
    struct svc_loop *of = loop_of(s, l);
    struct watch *w = ARENA_NEW(&of->arena, struct watch);

    w->gate = svc_gate_add(s, name);
    w->up = up;
    w->arg = arg;
    list_push(&of->watches, &w->link);
    loop_timer_init(&w->timer, l, ask);
    loop_timer_set(&w->timer, 1);
    svc_dependency(s, name, up, arg);
}

void svc_watches_end(struct svc_loop *l)
{
    LIST_EACH (it, &l->watches)
        loop_timer_clear(&CONTAINER_OF(it, struct watch, link)->timer);
}

bool svc_gates_open(struct svc *s)
{
    bool open = true;

    pthread_mutex_lock(&s->lock);
    LIST_EACH (it, &s->gates)
        open = open && atomic_load(&CONTAINER_OF(it, struct svc_gate, link)->open);
    pthread_mutex_unlock(&s->lock);
    return open;
}

void svc_gates_put_shut(struct svc *s, struct buf *b)
{
    const char *comma = "";

    buf_byte(b, '[');
    pthread_mutex_lock(&s->lock);
    LIST_EACH (it, &s->gates) {
        const struct svc_gate *g = CONTAINER_OF(it, struct svc_gate, link);

        if (atomic_load(&g->open))
            continue;
        buf_printf(b, "%s\"%s\"", comma, g->name);
        comma = ",";
    }
    pthread_mutex_unlock(&s->lock);
    buf_byte(b, ']');
}

void svc_dependency(struct svc *s, const char *name, bool (*up)(void *arg), void *arg)
{
    struct dependency *d;

    pthread_mutex_lock(&s->lock);
    d = ARENA_NEW(&s->rows, struct dependency);
    d->name = arena_str(&s->rows, str_of(name)).p;
    d->up = up;
    d->arg = arg;
    list_push(&s->dependencies, &d->link);
    pthread_mutex_unlock(&s->lock);
}

/* Each loop has rows of its own under the same name; the page shows one. */
static bool is_first_of_name(const struct svc *s, const struct dependency *d)
{
    LIST_EACH (it, &s->dependencies) {
        const struct dependency *other = CONTAINER_OF(it, struct dependency, link);

        if (strcmp(other->name, d->name) == 0)
            return other == d;
    }
    return true;
}

static bool all_up(const struct svc *s, const char *name)
{
    LIST_EACH (it, &s->dependencies) {
        const struct dependency *d = CONTAINER_OF(it, struct dependency, link);

        if (strcmp(d->name, name) == 0 && !d->up(d->arg))
            return false;
    }
    return true;
}

bool svc_dependencies_put(struct svc *s, struct buf *b)
{
    const char *comma = "";
    bool good = true;

    buf_byte(b, '[');
    pthread_mutex_lock(&s->lock);
    LIST_EACH (it, &s->dependencies) {
        const struct dependency *d = CONTAINER_OF(it, struct dependency, link);
        bool up;

        if (!is_first_of_name(s, d))
            continue;
        up = all_up(s, d->name);
        good = good && up;
        buf_printf(b, "%s{\"name\":\"%s\",\"up\":%s}", comma, d->name,
                   up ? "true" : "false");
        comma = ",";
    }
    pthread_mutex_unlock(&s->lock);
    buf_byte(b, ']');
    return good;
}
