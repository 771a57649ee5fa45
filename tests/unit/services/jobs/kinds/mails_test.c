// SPDX-License-Identifier: Apache-2.0
/* What our mails say. */
#include "jobs/kinds/mails.h"
#include "jobs/kinds/template.h"

#include <criterion/criterion.h>

static struct arena a;

static void begin(void)
{
    arena_init(&a);
}

static void end(void)
{
    arena_fini(&a);
}

TestSuite(mails, .init = begin, .fini = end);

static bool has(struct str text, const char *part)
{
    return memmem(text.p, text.n, part, strlen(part)) != NULL;
}

Test(mails, welcome_names_the_user_and_escapes_in_html_only)
{
    struct user user = {.name = STR("<b>Ada & Co</b>")};
    struct mail m = {0};

    mail_compose(&a, MAIL_WELCOME, &user, NULL, &m);
    cr_expect(str_eq(m.subject, STR("Welcome, <b>Ada & Co</b>")));
    cr_expect(has(m.text, "Hello <b>Ada & Co</b>,"));
    cr_expect(has(m.html, "Hello &lt;b&gt;Ada &amp; Co&lt;/b&gt;,"));
    cr_expect_not(has(m.html, "<b>"));
    cr_expect(has(m.html, "<title>Welcome, &lt;b&gt;"));
}

Test(mails, confirmation_lists_the_order)
{
    struct user user = {.name = STR("Ada")};
    struct order_item items[] = {
        {.sku = STR("T-1"), .name = STR("Tea <green>"), .quantity = 2, .unit_price = 350},
        {.sku = STR("C-9"), .name = STR("Cup"), .quantity = 1, .unit_price = 1200},
    };
    struct order order = {.id = uuid_new(),
                          .total = 1900,
                          .currency = STR("EUR"),
                          .items = {items, 2},
                          .has_items = true};
    const char *id = uuid_str(&a, order.id).p;
    struct mail m = {0};

    mail_compose(&a, MAIL_ORDER_CONFIRMATION, &user, &order, &m);
    cr_expect(has(m.subject, id));
    cr_expect(has(m.text, id) && has(m.html, id));
    cr_expect(has(
        m.text, "2 x Tea <green> (T-1), 3.50 EUR each\n1 x Cup (C-9), 12.00 EUR each\n"));
    cr_expect(has(m.text, "Total: 19.00 EUR"));
    cr_expect(has(m.html, "Tea &lt;green&gt; (T-1)</td>"));
    cr_expect(has(m.html, "19.00 EUR"));
}

Test(mails, a_value_is_not_a_template)
{
    struct user user = {.name = STR("{{total}}{{order_id}}")};
    struct mail m = {0};

    mail_compose(&a, MAIL_WELCOME, &user, NULL, &m);
    cr_expect(has(m.text, "Hello {{total}}{{order_id}},"));
}
