// SPDX-License-Identifier: Apache-2.0
/*
 * viaduct-jobs: the ledger of slow work and those who do it.
 *
 *   viaduct-jobs [--role api|worker|both] ...
 */
#include "conf.h"
#include "jobs/migrations.h"
#include "jobs/store/statements.h"
#include "kit/pg/migrate.h"
#include "kit/pg/pg.h"
#include "kit/rpc/client.h"
#include "roles.h"

#include <stdio.h>
#include <stdlib.h>

enum { LOOPS_MAX = 256, WAITING_MAX = 4096 };

static struct jobs_env envs[LOOPS_MAX];

/* ---- commands -------------------------------------------------------------------- */

static int migrate(void *conf, int argc, char **argv)
{
    const struct jobs_conf *c = conf;
    const struct err *err;
    struct arena a;
    int applied = 0;

    (void)argc;
    (void)argv;
    arena_init(&a);
    err = pg_migrate(&a, c->pg, jobs_migrations, &applied);
    if (err)
        (void)fprintf(stderr, "migrate: %.*s\n", STR_FMT(err->detail));
    else
        printf("jobs: %d migrations applied\n", applied);
    arena_fini(&a);
    return err ? 1 : 0;
}

static const struct svc_command commands[] = {
    {"migrate", "bring the database's schema up to date", migrate},
    {0},
};

/* ---- life cycle ------------------------------------------------------------------ */

static const struct err *start(struct arena *a, struct svc *s, void *conf)
{
    const struct jobs_conf *c = conf;
    const struct err *err;

    (void)s;
    rpc_process_init();
    err = rpc_tls_start(a, &RPC_TLS_FILES(c));
    return err || !jobs_has_api(c) ? err : api_role_start(a, c);
}

static bool pg_is_up(void *pool)
{
    return pg_pool_up(pool);
}

static const struct err *start_loop(struct arena *a, struct svc *s, struct loop *l,
                                    unsigned index)
{
    const struct jobs_conf *c = svc_conf(s);
    const struct pg_conf pg = {
        .conninfo = c->pg,
        .stmts = jobs_statements,
        .connections = (unsigned)c->pg_connections,
        .max_waiting = WAITING_MAX,
        .statement_timeout_ms = c->pg_timeout_ms,
        .name = "jobs",
    };
    struct jobs_env *env = &envs[index];
    const struct err *err = NULL;

    env->pg = pg_pool_create(l, &pg);
    env->cursor_secret = str_of(c->cursor_key);
    svc_gate_when(s, l, "postgresql", pg_is_up, env->pg);
    if (jobs_has_api(c))
        err = api_role_loop_start(a, s, l, index, env);
    if (!err && jobs_has_worker(c) && index == 0)
        err = worker_role_start(a, s, l, env);
    return err;
}

static void drain(struct svc *s, struct loop *l, unsigned index)
{
    (void)l;
    if (index)
        return;
    if (jobs_has_api(svc_conf(s)))
        api_role_drain();
    if (jobs_has_worker(svc_conf(s)))
        worker_role_drain();
}

static bool idle(struct svc *s, struct loop *l, unsigned index)
{
    const struct jobs_conf *c = svc_conf(s);

    (void)l;
    return (!jobs_has_api(c) || api_role_idle()) &&
           (index || !jobs_has_worker(c) || worker_role_idle());
}

static void stop_loop(struct svc *s, struct loop *l, unsigned index)
{
    const struct jobs_conf *c = svc_conf(s);

    if (jobs_has_worker(c) && index == 0)
        worker_role_stop(&envs[index]);
    if (jobs_has_api(c))
        api_role_loop_stop(l, index);
    pg_pool_destroy(envs[index].pg);
}

static void stop(struct svc *s)
{
    if (jobs_has_api(svc_conf(s)))
        api_role_stop();
    rpc_tls_stop();
}

/* ---- the command line ------------------------------------------------------------ */

/* `--role X` is a setting like any other: it becomes its variable, and the rest of the
 * line is the frame's. */
static int take_role(int argc, char **argv)
{
    int left = 1;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--role") == 0 && i + 1 < argc)
            setenv("VIADUCT_JOBS_ROLE", argv[++i], 1);
        else
            argv[left++] = argv[i];
    }
    argv[left] = NULL;
    return left;
}

int main(int argc, char **argv)
{
    static struct jobs_conf conf;
    static const struct svc_def def = {
        .name = "viaduct-jobs",
        .about =
            "The ledger of slow work (--role api) and those who do it (--role worker).",
        .options = jobs_conf_options,
        .conf = &conf,
        .conf_size = sizeof conf,
        .commands = commands,
        .default_loops = 1,
        .check = jobs_conf_check,
        .start = start,
        .loop_start = start_loop,
        .drain = drain,
        .idle = idle,
        .loop_stop = stop_loop,
        .stop = stop,
    };

    return svc_main(&def, take_role(argc, argv), argv);
}
