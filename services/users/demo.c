// SPDX-License-Identifier: Apache-2.0
/* `viaduct-users seed`: demo accounts with known passwords; running it again changes
 * nothing. */
#include "conf.h"

#include "kit/base/buf.h"
#include "kit/base/id.h"
#include "kit/pg/migrate.h"
#include "proto/roles.h"
#include "users/rules/password.h"

#include <sodium.h>
#include <stdio.h>

static const struct {
    const char *email, *name, *password;
    uint32_t roles;
} accounts[] = {
    {"admin@example.com", "Ada Admin", "admin-password", ROLE_USER | ROLE_ADMIN},
    {"alice@example.com", "Alice Example", "alice-password", ROLE_USER},
    {"bob@example.com", "Bob Example", "bob-password", ROLE_USER},
};

static bool add_account(struct arena *a, struct buf *sql, size_t i)
{
    char hash[crypto_pwhash_STRBYTES];
    struct str id = uuid_str(a, uuid_new());

    if (!password_hash_now(accounts[i].password, hash))
        return false;
    buf_printf(sql,
               "INSERT INTO users (id, email, name, password_hash, roles) "
               "VALUES ('%.*s', '%s', '%s', '%s', %u) ON CONFLICT DO NOTHING;\n",
               STR_FMT(id), accounts[i].email, accounts[i].name, hash, accounts[i].roles);
    return true;
}

int users_seed(void *conf, int argc, char **argv)
{
    const struct users_conf *c = conf;
    const struct err *err = NULL;
    struct arena a;
    struct buf sql;
    bool ok = sodium_init() >= 0;

    (void)argc;
    (void)argv;
    arena_init(&a);
    buf_init(&sql, 16 * 1024);
    for (size_t i = 0; ok && i < sizeof accounts / sizeof *accounts; i++)
        ok = add_account(&a, &sql, i);
    buf_byte(&sql, 0);
    if (ok)
        err = pg_run_script(&a, c->pg, sql.p);
    if (err)
        (void)fprintf(stderr, "seed: %.*s\n", STR_FMT(err->detail));
    buf_fini(&sql);
    arena_fini(&a);
    return ok && !err ? 0 : 1;
}
