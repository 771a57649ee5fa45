// SPDX-License-Identifier: Apache-2.0
/* Filling in templates. */
#include "jobs/kinds/template.h"

#include "kit/base/mem.h"

static const char *entity(char c)
{
    switch (c) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\'': return "&#39;";
    default: return NULL;
    }
}

void html_escape(struct buf *b, struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        const char *e = entity(text.p[i]);

        if (e)
            buf_str(b, str_of(e));
        else
            buf_byte(b, (uint8_t)text.p[i]);
    }
}

static const struct template_value *find(const struct template_value *values, size_t n,
                                         struct str name)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(name, str_of(values[i].name)))
            return &values[i];
    mem_die("template: no value for %.*s", STR_FMT(name));
}

static void put(struct buf *b, const struct template_value *v, bool html)
{
    if (html && !v->markup)
        html_escape(b, v->value);
    else
        buf_str(b, v->value);
}

void template_render(struct buf *b, const char *template,
                     const struct template_value *values, size_t n, bool html)
{
    const char *open, *close;

    for (const char *p = template;; p = close + 2) {
        open = strstr(p, "{{");
        close = open ? strstr(open, "}}") : NULL;
        if (!close) {
            buf_str(b, str_of(p));
            return;
        }
        buf_put(b, p, (size_t)(open - p));
        put(b, find(values, n, (struct str){open + 2, (size_t)(close - open - 2)}), html);
    }
}
