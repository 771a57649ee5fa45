// SPDX-License-Identifier: Apache-2.0
/* `viaduct-users keys`: a first signing key, so that a fresh installation can start;
 * running it again changes nothing. */
#include "conf.h"

#include "kit/jwt/jwt.h"
#include "proto/roles.h"

#include <glob.h>
#include <stdio.h>

static bool has_keys(struct arena *a, const char *dir)
{
    glob_t found;
    bool any = glob(arena_printf(a, "%s/*.pem", dir).p, 0, NULL, &found) == 0;

    globfree(&found);
    return any;
}

static const struct err *make_and_check(struct arena *a, const char *dir)
{
    struct jwt_keyring *ring = jwt_keyring_create(ROLE_NAMES);
    const struct err *err = has_keys(a, dir) ? NULL : jwt_key_make(a, dir);

    if (!err)
        err = jwt_keyring_load_dir(ring, a, dir);
    jwt_keyring_destroy(ring);
    return err;
}

int users_make_keys(void *conf, int argc, char **argv)
{
    const struct users_conf *c = conf;
    const struct err *err;
    struct arena a;

    (void)argc;
    (void)argv;
    arena_init(&a);
    err = make_and_check(&a, c->keys);
    if (err)
        (void)fprintf(stderr, "keys: %.*s\n", STR_FMT(err->detail));
    arena_fini(&a);
    return err ? 1 : 0;
}
