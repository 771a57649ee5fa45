// SPDX-License-Identifier: Apache-2.0
/* Argon2id on helper threads. */
#include "users/rules/password.h"

#include "users/store/env.h"

#include "kit/base/mem.h"

#include <sodium.h>
#include <stdlib.h>

enum { PASSES = 2, MEMORY_BYTES = 19 * 1024 * 1024, PASSWORD_MAX = 128 };

struct password_work {
    char password[PASSWORD_MAX];
    size_t n;
    char hash[crypto_pwhash_STRBYTES];
    bool known; /* hash is somebody's */
    bool ok;
};

/* Nobody's password has it; checking against it costs an unknown user what a known one
 * costs. */
static const char nobodys_hash[] =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

bool password_hash_now(const char *password, char *out)
{
    return crypto_pwhash_str(out, password, strlen(password), PASSES, MEMORY_BYTES) == 0;
}

static void hash(void *arg)
{
    struct password_work *w = arg;

    w->ok = crypto_pwhash_str(w->hash, w->password, w->n, PASSES, MEMORY_BYTES) == 0;
}

static void check(void *arg)
{
    struct password_work *w = arg;

    w->ok = crypto_pwhash_str_verify(w->hash, w->password, w->n) == 0 && w->known;
}

static void drop(void *arg)
{
    sodium_memzero(arg, sizeof(struct password_work));
    free(arg);
}

static const struct flow_work hashing = {.work = hash, .drop = drop};
static const struct flow_work checking = {.work = check, .drop = drop};

static struct password_work *work_new(struct str password)
{
    struct password_work *w = MEM_NEW(struct password_work);

    w->n = password.n < PASSWORD_MAX ? password.n : PASSWORD_MAX;
    memcpy(w->password, password.p, w->n);
    return w;
}

enum step password_hash(struct flow *f, struct str password, struct password_work **work,
                        flow_step next)
{
    const struct users_env *env = f->env;

    *work = work_new(password);
    return flow_offload(f, env->hashers, &hashing, *work, next);
}

struct str password_hashed(struct flow *f, const struct password_work *work)
{
    return work->ok ? arena_str(&f->arena, str_of(work->hash)) : (struct str){0};
}

enum step password_check(struct flow *f, struct str password, struct str stored,
                         struct password_work **work, flow_step next)
{
    const struct users_env *env = f->env;
    struct password_work *w = *work = work_new(password);

    w->known = stored.p && stored.n > 0 && stored.n < sizeof w->hash;
    if (w->known)
        memcpy(w->hash, stored.p, stored.n);
    else
        memcpy(w->hash, nobodys_hash, sizeof nobodys_hash);
    return flow_offload(f, env->hashers, &checking, w, next);
}

bool password_matched(const struct password_work *work)
{
    return work->ok;
}
