// SPDX-License-Identifier: Apache-2.0
/* SIGHUP: the settings are read again, and the program takes what it can take while it
 * runs. What is wrong changes nothing. In the admin thread. */
#include "kit/base/mem.h"
#include "kit/svc/internal.h"

#include <stdlib.h>

static const struct err *take(struct svc *s, struct svc_settings *fresh)
{
    enum log_level level;
    const struct err *e = svc_settings_load(&fresh->arena, s->def, fresh->conf, &level);

    return e || !s->def->reload ? e : s->def->reload(&fresh->arena, s, fresh->conf);
}

static void drop(struct svc_settings *fresh)
{
    arena_fini(&fresh->arena);
    free(fresh->conf);
    free(fresh);
}

void svc_reload(struct svc *s)
{
    struct svc_settings *fresh;
    const struct err *e;

    if (svc_phase(s) != SVC_RUNNING) {
        LOG_WARN(NULL, "svc.reload_refused", KV("why", "starting or stopping"));
        return;
    }
    fresh = MEM_NEW(struct svc_settings);
    arena_init(&fresh->arena);
    fresh->conf = mem_alloc(s->def->conf_size);
    e = take(s, fresh);
    if (e) {
        LOG_ERROR(NULL, "svc.reload_failed", KV("code", e->code->name),
                  KV("detail", e->detail.n > 0 ? e->detail : str_of(e->code->title)));
        drop(fresh);
        return;
    }
    list_push(&s->reloaded, &fresh->link);
    LOG_INFO(NULL, "svc.reloaded");
}

void svc_reloads_fini(struct svc *s)
{
    struct list *next;

    for (struct list *it = s->reloaded.next; it != &s->reloaded; it = next) {
        next = it->next;
        drop(CONTAINER_OF(it, struct svc_settings, link));
    }
}
