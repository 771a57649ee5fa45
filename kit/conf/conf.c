// SPDX-License-Identifier: Apache-2.0
/* Filling a program's settings from the environment. Every bad variable is collected, so
 * that an operator mends them all at once. */
#include "kit/conf/internal.h"

#include <stdlib.h>

CONF_ERRORS(ERR_DEFINE)

enum { SHOWN_MAX = 100, REASON_CAP = 8192 };

static void put_was(struct buf *b, const struct conf_option *o, struct str text)
{
    if (CONF_KIND_INFO[o->kind].hidden)
        return;
    buf_str(b, STR(", but is \""));
    for (size_t i = 0; i < text.n && i < SHOWN_MAX; i++)
        buf_byte(b, text.p[i] >= ' ' && text.p[i] != 0x7f ? (uint8_t)text.p[i] : '?');
    buf_str(b, text.n > SHOWN_MAX ? STR("...\"") : STR("\""));
}

/* Absent when the variable is well. */
static struct str read_option(struct arena *a, const struct conf_option *o, void *out)
{
    const struct conf_kind_info *kind = &CONF_KIND_INFO[o->kind];
    const char *env = getenv(o->env);
    const char *text = env && *env ? env : o->dflt;
    struct str why;
    struct buf b;

    if (!text)
        return arena_printf(a, "is required: %s", o->doc);
    if (kind->read(a, o, str_of(text), (char *)out + o->offset))
        return (struct str){0};
    buf_init(&b, REASON_CAP);
    buf_printf(&b, "must be %s", kind->must_be);
    conf_put_bounds(&b, o);
    put_was(&b, o, str_of(text));
    why = arena_str(a, buf_view(&b));
    buf_fini(&b);
    return why;
}

static void complain(struct arena *a, struct err **e, const struct conf_option *o,
                     struct str why)
{
    struct str before = *e ? (*e)->detail : STR("");

    if (!*e)
        *e = err_new(a, &ERR_CODE_BAD_SETTING, "%s", "");
    (*e)->detail = arena_printf(a, "%.*s%s%s %.*s", STR_FMT(before),
                                before.n > 0 ? "; " : "", o->env, STR_FMT(why));
    err_add_field(a, *e, str_of(o->env), "%.*s", STR_FMT(why));
}

const struct err *conf_load(struct arena *a, const struct conf_option *options, void *out)
{
    struct err *e = NULL;

    for (const struct conf_option *o = options; o->env; o++) {
        struct str why = read_option(a, o, out);

        if (why.p)
            complain(a, &e, o, why);
    }
    return e;
}
