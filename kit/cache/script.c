// SPDX-License-Identifier: Apache-2.0
/*
 * Lua scripts by hash. On first use a script is sent whole and loaded, which tells its
 * hash; later only the hash travels. A Redis that was restarted answers NOSCRIPT: the
 * script is sent whole once more.
 */
#include "kit/base/mem.h"
#include "kit/cache/client.h"

#include <stdio.h>
#include <stdlib.h>

enum { VERB, BODY, NUMKEYS, FIRST_KEY }; /* argv of EVAL and EVALSHA */

static struct redis_known *known(struct redis *r, const struct redis_script *script)
{
    struct redis_known *k = r->known;

    while (k < r->known + REDIS_SCRIPTS_MAX && k->script && k->script != script)
        k++;
    if (k == r->known + REDIS_SCRIPTS_MAX)
        mem_die("redis: more than %d scripts", REDIS_SCRIPTS_MAX);
    k->script = script;
    return k;
}

static void load(struct redis *r, struct redis_known *k)
{
    struct str argv[] = {STR("SCRIPT"), STR("LOAD"), str_of(k->script->text)};
    struct redis_op *op;

    if (k->loading || redis_admit(r))
        return;
    op = MEM_NEW(struct redis_op);
    op->loads = k;
    k->loading = redis_submit(r, op, argv, 3);
    if (!k->loading)
        free(op);
}

void redis_script_loaded(struct redis_known *k, const redisReply *reply)
{
    k->loading = false;
    if (reply->type == REDIS_REPLY_STRING && reply->len == REDIS_SHA_LEN)
        memcpy(k->sha, reply->str, REDIS_SHA_LEN);
}

bool redis_script_resend(struct redis_op *op)
{
    struct redis_cmd *c = op->cmd;

    if (redis_admit(op->redis))
        return false;
    c->argv[VERB] = STR("EVAL");
    c->argv[BODY] = str_of(c->script->text);
    return redis_submit(op->redis, op, c->argv, c->argc);
}

static void build_argv(struct arena *a, struct redis_cmd *c, const struct redis_known *k,
                       const struct str *keys, size_t n_keys, const struct str *args,
                       size_t n_args)
{
    c->argc = FIRST_KEY + n_keys + n_args;
    c->argv = ARENA_ARRAY(a, struct str, c->argc);
    c->argv[VERB] = k->sha[0] ? STR("EVALSHA") : STR("EVAL");
    c->argv[BODY] = k->sha[0] ? str_of(k->sha) : str_of(k->script->text);
    c->argv[NUMKEYS] = arena_printf(a, "%zu", n_keys);
    for (size_t i = 0; i < n_keys; i++)
        c->argv[FIRST_KEY + i] = arena_str(a, keys[i]);
    for (size_t i = 0; i < n_args; i++)
        c->argv[FIRST_KEY + n_keys + i] = arena_str(a, args[i]);
}

void redis_start_script(struct flow *f, struct redis_cmd *c, struct redis *r,
                        const struct redis_script *script, const struct str *keys,
                        size_t n_keys, const struct str *args, size_t n_args,
                        bool required)
{
    struct redis_known *k = known(r, script);

    c->script = script;
    if (!k->sha[0])
        load(r, k);
    build_argv(&f->arena, c, k, keys, n_keys, args, n_args);
    redis_start(f, c, r, c->argv, c->argc, required);
}
