// SPDX-License-Identifier: Apache-2.0
/* The texts of our mails, and the values that go into them. */
#include "jobs/kinds/mails.h"

#include "jobs/kinds/money.h"
#include "jobs/kinds/template.h"

#include <inttypes.h>

#define HTML_HEAD                                                         \
    "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">" \
    "<title>{{subject}}</title></head>\n"                                 \
    "<body style=\"font-family: sans-serif; max-width: 40em\">\n"
#define HTML_FOOT "</body>\n</html>\n"

struct mail_text {
    const char *subject, *text, *html;
};

static const struct mail_text texts[] = {
    [MAIL_WELCOME] =
        {
            .subject = "Welcome, {{name}}",
            .text = "Hello {{name}},\n"
                    "\n"
                    "your account is ready. You can sign in with this address.\n"
                    "\n"
                    "If it was not you who registered, you can ignore this mail.\n",
            .html = HTML_HEAD
            "<p>Hello {{name}},</p>\n"
            "<p>your account is ready. You can sign in with this address.</p>\n"
            "<p>If it was not you who registered, you can ignore this "
            "mail.</p>\n" HTML_FOOT,
        },
    [MAIL_ORDER_CONFIRMATION] =
        {
            .subject = "Your order {{order_id}}",
            .text = "Hello {{name}},\n"
                    "\n"
                    "thank you for your order. We have received it:\n"
                    "\n"
                    "Order {{order_id}}\n"
                    "\n"
                    "{{lines}}"
                    "\n"
                    "Total: {{total}}\n",
            .html = HTML_HEAD
            "<p>Hello {{name}},</p>\n"
            "<p>thank you for your order. We have received it:</p>\n"
            "<p>Order <strong>{{order_id}}</strong></p>\n"
            "<table>\n"
            "<tr><th align=\"left\">Item</th><th align=\"right\">Quantity</th>"
            "<th align=\"right\">Price</th></tr>\n"
            "{{lines}}"
            "<tr><td colspan=\"2\"><strong>Total</strong></td>"
            "<td align=\"right\"><strong>{{total}}</strong></td></tr>\n"
            "</table>\n" HTML_FOOT,
        },
};

/* ---- the lines of an order ------------------------------------------------------- */

static void text_line(struct arena *a, struct buf *b, const struct order *o,
                      const struct order_item *item)
{
    struct str price = money_text(a, item->unit_price, o->currency);

    buf_printf(b, "%" PRId64 " x %.*s (%.*s), %.*s each\n", item->quantity,
               STR_FMT(item->name), STR_FMT(item->sku), STR_FMT(price));
}

static void html_line(struct arena *a, struct buf *b, const struct order *o,
                      const struct order_item *item)
{
    buf_str(b, STR("<tr><td>"));
    html_escape(b, item->name);
    buf_str(b, STR(" ("));
    html_escape(b, item->sku);
    buf_printf(b, ")</td><td align=\"right\">%" PRId64 "</td><td align=\"right\">",
               item->quantity);
    html_escape(b, money_text(a, item->unit_price, o->currency));
    buf_str(b, STR("</td></tr>\n"));
}

typedef void (*line_writer)(struct arena *a, struct buf *b, const struct order *o,
                            const struct order_item *item);

static struct str order_lines(struct arena *a, const struct order *o, line_writer write)
{
    struct buf b;
    struct str lines;

    if (!o)
        return STR("");
    buf_init(&b, MAIL_MAX_BYTES);
    for (size_t i = 0; o->has_items && i < o->items.n; i++)
        write(a, &b, o, &o->items.v[i]);
    lines = arena_str(a, buf_view(&b));
    buf_fini(&b);
    return lines;
}

/* ---- filling in ------------------------------------------------------------------ */

static struct str render(struct arena *a, const char *template,
                         const struct template_value *values, size_t n, bool html)
{
    struct buf b;
    struct str text;

    buf_init(&b, MAIL_MAX_BYTES);
    template_render(&b, template, values, n, html);
    text = arena_str(a, buf_view(&b));
    buf_fini(&b);
    return text;
}

void mail_compose(struct arena *a, enum mail_template template, const struct user *user,
                  const struct order *order, struct mail *out)
{
    enum { SUBJECT, LINES, VALUES = 5 };
    const struct mail_text *t = &texts[template];
    struct template_value v[VALUES] = {
        [SUBJECT] = {.name = "subject", .value = STR("")},
        [LINES] = {.name = "lines",
                   .value = order_lines(a, order, text_line),
                   .markup = true},
        {.name = "name", .value = user->name},
        {.name = "order_id", .value = order ? uuid_str(a, order->id) : STR("")},
        {.name = "total",
         .value = order ? money_text(a, order->total, order->currency) : STR("")},
    };

    out->subject = render(a, t->subject, v, VALUES, false);
    v[SUBJECT].value = out->subject;
    out->text = render(a, t->text, v, VALUES, false);
    v[LINES].value = order_lines(a, order, html_line);
    out->html = render(a, t->html, v, VALUES, true);
}
