// SPDX-License-Identifier: Apache-2.0
/* `viaduct-orders seed`: a small catalogue to try things with; running it again changes
 * nothing. */
#include "conf.h"

#include "kit/base/buf.h"
#include "kit/base/id.h"
#include "kit/pg/migrate.h"

#include <stdio.h>

static const struct {
    const char *sku, *name;
    int price, stock;
} products[] = {
    {"TEA-ASSAM-100", "Assam tea, 100 g", 690, 500},
    {"TEA-SENCHA-100", "Sencha, 100 g", 890, 400},
    {"TEA-ROOIBOS-100", "Rooibos, 100 g", 490, 600},
    {"COF-BRAZIL-250", "Coffee from Brazil, 250 g", 790, 500},
    {"COF-KENYA-250", "Coffee from Kenya, 250 g", 1090, 300},
    {"COF-DECAF-250", "Decaffeinated coffee, 250 g", 990, 200},
    {"CUP-WHITE-200", "Cup, white, 200 ml", 950, 150},
    {"CUP-BLUE-200", "Cup, blue, 200 ml", 950, 150},
    {"POT-GLASS-1000", "Teapot, glass, 1 l", 3490, 60},
    {"POT-IRON-800", "Teapot, cast iron, 0.8 l", 5990, 40},
    {"KET-STEEL-1500", "Kettle, steel, 1.5 l", 4490, 80},
    {"GRI-HAND-1", "Coffee grinder, by hand", 3990, 70},
    {"FIL-PAPER-100", "Paper filters, 100 pieces", 390, 1000},
    {"FIL-CLOTH-1", "Cloth filter", 690, 250},
    {"HON-FOREST-500", "Forest honey, 500 g", 850, 300},
    {"SUG-CANE-500", "Cane sugar, 500 g", 350, 800},
    {"BIS-OAT-200", "Oat biscuits, 200 g", 320, 900},
    {"CHO-DARK-100", "Dark chocolate, 100 g", 290, 900},
    {"SPO-WOOD-1", "Measuring spoon, olive wood", 590, 200},
    {"BOX-GIFT-1", "Gift box, the last ones", 1990, 5},
};

int orders_seed(void *conf, int argc, char **argv)
{
    const struct orders_conf *c = conf;
    const struct err *err;
    struct arena a;
    struct buf sql;

    (void)argc;
    (void)argv;
    arena_init(&a);
    buf_init(&sql, 64 * 1024);
    for (size_t i = 0; i < sizeof products / sizeof *products; i++) {
        struct str id = uuid_str(&a, uuid_new());

        buf_printf(
            &sql,
            "INSERT INTO products (id, sku, name, price, currency, stock) "
            "VALUES ('%.*s', '%s', '%s', %d, 'EUR', %d) ON CONFLICT (sku) DO NOTHING;\n",
            STR_FMT(id), products[i].sku, products[i].name, products[i].price,
            products[i].stock);
    }
    buf_byte(&sql, 0);
    err = pg_run_script(&a, c->pg, sql.p);
    if (err)
        (void)fprintf(stderr, "seed: %.*s\n", STR_FMT(err->detail));
    buf_fini(&sql);
    arena_fini(&a);
    return err ? 1 : 0;
}
