// SPDX-License-Identifier: Apache-2.0
/* Error values, and the table of what each kind of error means. */
#include "kit/base/err.h"

#define KIND_INFO(kind, status, again, breaker, label) \
    [ERR_##kind] = {status, again, breaker, label},
static const struct err_kind_info kinds[] = {ERR_KINDS(KIND_INFO)};
#undef KIND_INFO

KIT_ERRORS(ERR_DEFINE)

const struct err_kind_info *err_kind_info(enum err_kind kind)
{
    return &kinds[(unsigned)kind < ERR_KIND_COUNT ? kind : ERR_INTERNAL];
}

struct err *err_new(struct arena *a, const struct err_code *code, const char *fmt, ...)
{
    struct err *e = ARENA_NEW(a, struct err);
    va_list ap;

    va_start(ap, fmt);
    *e = (struct err){.code = code, .detail = arena_vprintf(a, fmt, ap)};
    va_end(ap);
    return e;
}

static struct err_field *append_field(struct arena *a, struct err *e)
{
    struct err_field **end = &e->fields;

    while (*end)
        end = &(*end)->next;
    return *end = ARENA_NEW(a, struct err_field);
}

void err_add_field(struct arena *a, struct err *e, struct str pointer, const char *fmt,
                   ...)
{
    struct err_field *field = append_field(a, e);
    va_list ap;

    va_start(ap, fmt);
    field->pointer = arena_str(a, pointer);
    field->detail = arena_vprintf(a, fmt, ap);
    va_end(ap);
}

const struct err *err_copy(struct arena *a, const struct err *e)
{
    struct err *copy = ARENA_NEW(a, struct err);
    struct err_field **end = &copy->fields;

    *copy = (struct err){.code = e->code,
                         .detail = arena_str(a, e->detail),
                         .retry_after_ms = e->retry_after_ms};
    for (const struct err_field *from = e->fields; from; from = from->next) {
        *end = ARENA_NEW(a, struct err_field);
        (*end)->pointer = arena_str(a, from->pointer);
        (*end)->detail = arena_str(a, from->detail);
        end = &(*end)->next;
    }
    return copy;
}
