// SPDX-License-Identifier: Apache-2.0
/* Showing settings to people: --help and --print-config. */
#include "kit/conf/internal.h"

static int widest(const struct conf_option *options)
{
    size_t w = 0;

    for (const struct conf_option *o = options; o->env; o++)
        w = strlen(o->env) > w ? strlen(o->env) : w;
    return (int)w;
}

static void put_default(struct buf *b, const struct conf_option *o)
{
    if (!o->dflt)
        buf_str(b, STR(" [required]"));
    else if (o->kind == CONF_secret && *o->dflt)
        buf_str(b, STR(" [***]"));
    else if (o->kind == CONF_url && *o->dflt) {
        buf_str(b, STR(" ["));
        conf_put_masked_url(b, str_of(o->dflt));
        buf_byte(b, ']');
    } else if (*o->dflt)
        buf_printf(b, " [%s]", o->dflt);
}

void conf_help(struct buf *b, const struct conf_option *options)
{
    for (const struct conf_option *o = options; o->env; o++) {
        buf_printf(b, "  %-*s  %s", widest(options), o->env, o->doc);
        conf_put_bounds(b, o);
        put_default(b, o);
        buf_byte(b, '\n');
    }
}

void conf_print_value(struct buf *b, const struct conf_option *o, const void *conf)
{
    CONF_KIND_INFO[o->kind].show(b, (const char *)conf + o->offset);
}

void conf_print(struct buf *b, const struct conf_option *options, const void *conf)
{
    for (const struct conf_option *o = options; o->env; o++) {
        buf_printf(b, "%s=", o->env);
        conf_print_value(b, o, conf);
        buf_byte(b, '\n');
    }
}

static bool needs_quotes(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7f || strchr("\"'#\\", s.p[i]))
            return true;
    return false;
}

static void put_escaped(struct buf *b, char c)
{
    if (c == '\n') {
        buf_str(b, STR("\\n"));
        return;
    }
    if (c == '"' || c == '\\')
        buf_byte(b, '\\');
    buf_byte(b, (uint8_t)((unsigned char)c < ' ' || c == 0x7f ? '?' : c));
}

void conf_put_quoted(struct buf *b, struct str text)
{
    if (!needs_quotes(text)) {
        buf_str(b, text);
        return;
    }
    buf_byte(b, '"');
    for (size_t i = 0; i < text.n; i++)
        put_escaped(b, text.p[i]);
    buf_byte(b, '"');
}
