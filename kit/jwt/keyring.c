// SPDX-License-Identifier: Apache-2.0
/* The set of keys, and its private ones from a directory. */
#include "kit/jwt/keyring.h"

#include "kit/base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>

JWT_ERRORS(ERR_DEFINE)

struct jwt_keyring *jwt_keyring_create(const char *const *role_names)
{
    struct jwt_keyring *k = MEM_NEW(struct jwt_keyring);

    k->role_names = role_names;
    return k;
}

void jwt_keyring_destroy(struct jwt_keyring *k)
{
    if (!k)
        return;
    jwt_keys_clear(&k->keys);
    free(k);
}

void jwt_keys_clear(struct jwt_keys *set)
{
    for (unsigned i = 0; i < set->n; i++)
        ed25519_destroy(set->v[i].key);
    *set = (struct jwt_keys){0};
}

const struct jwt_key *jwt_keys_find(const struct jwt_keys *set, struct str kid)
{
    for (unsigned i = 0; i < set->n; i++)
        if (str_eq(str_of(set->v[i].kid), kid))
            return &set->v[i];
    return NULL;
}

bool jwt_keys_add(struct jwt_keys *set, struct str kid, struct ed25519_key *key,
                  bool is_private)
{
    struct jwt_key *slot = &set->v[set->n];

    if (set->n == JWT_KEYS_MAX || kid.n == 0 || kid.n > JWT_KID_MAX ||
        jwt_keys_find(set, kid) || !ed25519_public(key, slot->public)) {
        ed25519_destroy(key);
        return false;
    }
    memcpy(slot->kid, kid.p, kid.n);
    slot->kid[kid.n] = '\0';
    slot->key = key;
    slot->is_private = is_private;
    set->n++;
    return true;
}

void jwt_keyring_exchange(struct jwt_keyring *k, struct jwt_keys *set)
{
    jwt_keys_clear(&k->keys);
    k->keys = *set;
    *set = (struct jwt_keys){0};
}

/* Absent when the file is none of ours. */
static struct str kid_of(const char *file)
{
    struct str name = str_of(file);

    if (name.n <= 4 || name.p[0] == '.' || strcmp(file + name.n - 4, ".pem") != 0)
        return (struct str){0};
    return (struct str){name.p, name.n - 4};
}

static int is_key_file(const struct dirent *d)
{
    return kid_of(d->d_name).p != NULL;
}

/* By bytes: which key signs must not depend on a locale. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void load_file(struct arena *a, struct jwt_keys *set, const char *dir,
                      const char *file, struct err **e)
{
    struct str path = arena_printf(a, "%s/%s", dir, file);
    struct ed25519_key *key = ed25519_read_pem(path.p);

    if (key && jwt_keys_add(set, kid_of(file), key, true))
        return;
    if (!*e)
        *e = err_new(a, &ERR_CODE_BAD_KEYS, "bad key files:");
    (*e)->detail = arena_printf(a, "%.*s %s", STR_FMT((*e)->detail), path.p);
    err_add_field(
        a, *e, path, "%s",
        key ? "one key too many, or its name is too long"
            : "is not a readable PKCS#8 Ed25519 private key without passphrase");
}

static const struct err *load_files(struct arena *a, struct jwt_keys *set,
                                    const char *dir)
{
    struct dirent **files;
    int n = scandir(dir, &files, is_key_file, by_name);
    struct err *e = NULL;

    if (n < 0)
        return err_new(a, &ERR_CODE_BAD_KEYS, "%s: %s", dir, strerror(errno));
    for (int i = 0; i < n; i++) {
        load_file(a, set, dir, files[i]->d_name, &e);
        free(files[i]);
    }
    free(files);
    return n == 0 ? err_new(a, &ERR_CODE_BAD_KEYS, "no *.pem in %s", dir) : e;
}

const struct err *jwt_keyring_load_dir(struct jwt_keyring *k, struct arena *a,
                                       const char *dir)
{
    struct jwt_keys *set = MEM_NEW(struct jwt_keys);
    const struct err *e = load_files(a, set, dir);

    if (!e)
        jwt_keyring_exchange(k, set);
    jwt_keys_clear(set);
    free(set);
    return e;
}
