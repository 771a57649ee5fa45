// SPDX-License-Identifier: Apache-2.0
/* The command line of every program. */
#include "kit/svc/internal.h"

#include <stdio.h>
#include <stdlib.h>

enum { TEXT_CAP = 1 << 20, USAGE = 2 };

struct args {
    const char *env_file;
    const char *action; /* NULL: serve */
    int argc;           /* what follows the action */
    char **argv;
};

/* ---- settings ---- */

static bool read_level(const char *name, enum log_level *level)
{
    static const char *const NAMES[] = {
        [LOG_LEVEL_DEBUG] = "debug",
        [LOG_LEVEL_INFO] = "info",
        [LOG_LEVEL_WARN] = "warn",
        [LOG_LEVEL_ERROR] = "error",
    };

    for (unsigned i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        if (strcmp(name, NAMES[i]) == 0) {
            *level = (enum log_level)i;
            return true;
        }
    }
    return false;
}

static const struct err *check_base(struct arena *a, const struct svc_base_conf *c,
                                    enum log_level *level)
{
    char host[256];
    int port;

    if (!read_level(c->log_level, level))
        return err_new(
            a, &ERR_CODE_BAD_SETTING,
            "VIADUCT_LOG_LEVEL must be debug, info, warn or error, but is \"%.40s\"",
            c->log_level);
    if (!svc_split_address(c->admin_listen, host, sizeof host, &port))
        return err_new(
            a, &ERR_CODE_BAD_SETTING,
            "VIADUCT_ADMIN_LISTEN must be an address with a port, but is \"%.100s\"",
            c->admin_listen);
    return NULL;
}

/* Whatever reads a list or a file has no request to complain of here. */
static const struct err *said_of_setting(struct arena *a, const struct err *e)
{
    if (!e || e->code != &ERR_CODE_BAD_REQUEST)
        return e;
    return err_new(a, &ERR_CODE_BAD_SETTING, "%.*s", STR_FMT(e->detail));
}

static const char *env_file; /* NULL: .env, where there is one */

const struct err *svc_settings_load(struct arena *a, const struct svc_def *def,
                                    void *conf, enum log_level *level)
{
    const struct err *e =
        conf_read_dotenv(a, env_file ? env_file : ".env", env_file != NULL);

    *level = LOG_LEVEL_INFO;
    if (!e)
        e = conf_load(a, def->options, conf);
    if (!e)
        e = check_base(a, conf, level);
    if (!e && def->check)
        e = said_of_setting(a, def->check(a, conf));
    return e;
}

static const struct err *load_settings(struct arena *a, const struct svc_def *def)
{
    enum log_level level;
    const struct err *e = svc_settings_load(a, def, def->conf, &level);

    if (!e)
        log_init(def->name, level);
    return e;
}

static int bad_settings(const struct svc_def *def, const struct err *e)
{
    fprintf(stderr, "%s: %s\n", def->name, e->code->title);
    if (!e->fields)
        fprintf(stderr, "  %.*s\n", STR_FMT(e->detail));
    for (const struct err_field *f = e->fields; f; f = f->next)
        fprintf(stderr, "  %.*s %.*s\n", STR_FMT(f->pointer), STR_FMT(f->detail));
    return 1;
}

/* ---- actions ---- */

static void print(struct buf *b)
{
    (void)fwrite(b->p, 1, b->n, stdout);
    buf_fini(b);
}

static void put_commands(struct buf *b, const struct svc_command *c)
{
    if (!c || !c->name)
        return;
    buf_str(b, STR("\ncommands:\n"));
    for (; c->name; c++)
        buf_printf(b, "  %-15s %s\n", c->name, c->doc);
}

static int help(const struct svc_def *def)
{
    struct buf b;

    buf_init(&b, TEXT_CAP);
    buf_printf(
        &b,
        "%s %s: %s\n\n"
        "usage: %s [--help | --version | --check | --print-config | --health | COMMAND]\n"
        "       [--env FILE]\n\n"
        "  --help          this text\n"
        "  --version       the program's version and the libraries it runs with\n"
        "  --check         says whether the settings are fine\n"
        "  --print-config  the settings, secrets masked\n"
        "  --health        asks the running process whether it is ready\n"
        "  --env FILE      settings from this file; the environment wins [.env]\n",
        def->name, VIADUCT_VERSION, def->about, def->name);
    put_commands(&b, def->commands);
    buf_str(&b, STR("\nsettings (environment variables):\n"));
    conf_help(&b, def->options);
    print(&b);
    return 0;
}

static int version(const struct svc_def *def)
{
    svc_print_version(def);
    return 0;
}

static int check(const struct svc_def *def)
{
    printf("%s: the settings are fine\n", def->name);
    return 0;
}

static int print_config(const struct svc_def *def)
{
    struct buf b;

    buf_init(&b, TEXT_CAP);
    conf_print(&b, def->options, def->conf);
    print(&b);
    return 0;
}

static int health(const struct svc_def *def)
{
    return svc_health(((const struct svc_base_conf *)def->conf)->admin_listen);
}

static const struct action {
    const char *name;
    bool needs_settings;
    int (*run)(const struct svc_def *def);
} ACTIONS[] = {
    {"--help", false, help},
    {"-h", false, help},
    {"--version", false, version},
    {"--check", true, check},
    {"--print-config", true, print_config},
    {"--health", true, health},
    {0},
};

static const struct action *find_action(const char *name)
{
    for (const struct action *a = ACTIONS; a->name; a++)
        if (strcmp(a->name, name) == 0)
            return a;
    return NULL;
}

static const struct svc_command *find_command(const struct svc_def *def, const char *name)
{
    for (const struct svc_command *c = def->commands; c && c->name; c++)
        if (strcmp(c->name, name) == 0)
            return c;
    return NULL;
}

/* ---- arguments ---- */

/* --env FILE is taken out wherever it stands; the rest keeps its order. */
static bool read_args(int argc, char **argv, struct args *args)
{
    int rest = 0;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--env") != 0) {
            argv[rest++] = argv[i];
            continue;
        }
        if (++i == argc)
            return false;
        args->env_file = argv[i];
    }
    args->action = rest > 0 ? argv[0] : NULL;
    args->argv = argv + 1;
    args->argc = rest > 0 ? rest - 1 : 0;
    return true;
}

static int bad_usage(const struct svc_def *def, const char *what)
{
    fprintf(stderr, "%s: %s; see %s --help\n", def->name, what, def->name);
    return USAGE;
}

static int run(struct arena *a, const struct svc_def *def, const struct args *args)
{
    const struct action *action = args->action ? find_action(args->action) : NULL;
    const struct svc_command *command =
        args->action ? find_command(def, args->action) : NULL;
    const struct err *e;

    if (args->action && !action && !command)
        return bad_usage(def, "no such option or command");
    if (action && args->argc > 0)
        return bad_usage(def, "one option at a time");
    if (action && !action->needs_settings)
        return action->run(def);
    env_file = args->env_file;
    e = load_settings(a, def);
    if (e)
        return bad_settings(def, e);
    if (action)
        return action->run(def);
    return command ? command->run(def->conf, args->argc, args->argv) : svc_run(def);
}

int svc_main(const struct svc_def *def, int argc, char **argv)
{
    struct args args = {0};
    struct arena a;
    int exit_code;

    if (!read_args(argc, argv, &args))
        return bad_usage(def, "--env needs a file");
    arena_init(&a);
    exit_code = run(&a, def, &args);
    if (fflush(stdout) != 0)
        exit_code = exit_code ? exit_code : 1;
    arena_fini(&a);
    return exit_code;
}
