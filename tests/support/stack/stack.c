// SPDX-License-Identifier: Apache-2.0
/* The product as processes. */
#include "tests/support/stack/stack.h"

#include "kit/base/buf.h"
#include "kit/base/str.h"

#include <curl/curl.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { PAGE_MAX = 16 << 20 };

static const struct {
    const char *name, *binary;
    const char *args[2];
    const char *listen; /* variable of its address, and what stands before the host */
    const char *scheme;
    const char *upstream; /* variable that others find it by */
} parts[STACK_PARTS] = {
    [STACK_USERS] = {"users",
                     "viaduct-users",
                     {0},
                     "VIADUCT_USERS_LISTEN",
                     "tcp://",
                     "VIADUCT_USERS_UPSTREAM"},
    [STACK_ORDERS] = {"orders",
                      "viaduct-orders",
                      {0},
                      "VIADUCT_ORDERS_LISTEN",
                      "tcp://",
                      "VIADUCT_ORDERS_UPSTREAM"},
    [STACK_JOBS] = {"jobs",
                    "viaduct-jobs",
                    {"--role", "api"},
                    "VIADUCT_JOBS_LISTEN",
                    "tcp://",
                    "VIADUCT_JOBS_UPSTREAM"},
    [STACK_WORKER] = {"worker", "viaduct-jobs", {"--role", "worker"}, NULL, NULL, NULL},
    [STACK_GATEWAY] =
        {"gateway", "viaduct-gateway", {0}, "VIADUCT_GATEWAY_LISTEN", "", NULL},
};

/* A folder with ca.pem and each part's NAME.pem and NAME.key; NULL: no TLS on the hop. */
static const char *hop_tls(void)
{
    return getenv("VIADUCT_STACK_HOP_TLS");
}

static const char *scheme_of(enum stack_part part)
{
    const char *scheme = parts[part].scheme;

    return hop_tls() && strcmp(scheme, "tcp://") == 0 ? "tls+tcp://" : scheme;
}

/* ---- admin ports ----------------------------------------------------------------- */

static size_t collect(char *p, size_t size, size_t n, void *arg)
{
    buf_put(arg, p, size * n);
    return size * n;
}

/* The status; 0 when there was no answer. */
static long admin_get(int admin, const char *path, struct buf *body)
{
    CURL *curl = curl_easy_init();
    char url[64];
    long status = 0;

    (void)snprintf(url, sizeof url, "http://127.0.0.1:%d%s", admin, path);
    (void)curl_easy_setopt(curl, CURLOPT_URL, url);
    (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 2000L);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
    if (curl_easy_perform(curl) == CURLE_OK)
        (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(curl);
    return status;
}

static bool admin_ready(int admin)
{
    struct buf body;
    bool ready;

    buf_init(&body, PAGE_MAX);
    ready = admin_get(admin, "/readyz", &body) == 200;
    buf_fini(&body);
    return ready;
}

/* No answer is no number: it is asked for again. */
static void get_metrics(int admin, struct buf *page)
{
    const struct timespec pause = {.tv_nsec = 100 * 1000 * 1000};

    for (int tries = 0; admin_get(admin, "/metrics", page) != 200; tries++) {
        if (tries == 100) {
            (void)fprintf(stderr, "no metrics at port %d\n", admin);
            abort();
        }
        buf_reset(page);
        (void)nanosleep(&pause, NULL);
    }
}

double stack_metric(int admin, const char *series)
{
    struct buf page;
    struct str rest, line;
    double sum = 0;

    buf_init(&page, PAGE_MAX);
    get_metrics(admin, &page);
    buf_byte(&page, 0);
    for (rest = buf_view(&page); rest.p;) {
        line = str_split(rest, '\n', &rest);
        if (str_starts(line, str_of(series)))
            for (size_t i = line.n; i > 0; i--)
                if (line.p[i - 1] == ' ') {
                    sum += strtod(line.p + i, NULL);
                    break;
                }
    }
    buf_fini(&page);
    return sum;
}

/* ---- replicas -------------------------------------------------------------------- */

struct program *stack_replica(struct stack *s, enum stack_part part, int replica)
{
    return replica == 0 ? &s->part[part] : &s->more[part][replica - 1];
}

int stack_replica_admin(const struct stack *s, enum stack_part part, int replica)
{
    return replica == 0 ? s->admin[part] : s->more_admin[part][replica - 1];
}

static bool is_ready(void *arg)
{
    const int *admin = arg;

    return admin_ready(*admin);
}

bool stack_part_ready(const struct stack *s, enum stack_part part)
{
    return admin_ready(s->admin[part]);
}

void stack_start_replica(struct stack *s, enum stack_part part, int replica)
{
    int admin = stack_replica_admin(s, part, replica);
    struct program *p = stack_replica(s, part, replica);

    program_start(p);
    program_wait_until(p, is_ready, &admin, 30);
}

void stack_start_part(struct stack *s, enum stack_part part)
{
    stack_start_replica(s, part, 0);
}

static bool ends_well(struct program *p)
{
    int code;

    if (p->pid == 0)
        return true;
    program_signal(p, SIGTERM);
    code = program_wait(p, 30);
    if (code != 0)
        (void)fprintf(stderr, "%s ended with %d\n", p->name, code);
    return code == 0;
}

void stack_stop_replica(struct stack *s, enum stack_part part, int replica)
{
    if (!ends_well(stack_replica(s, part, replica)))
        abort();
}

/* ---- settings -------------------------------------------------------------------- */

/* The value of a variable of the replica. */
static const char *setting(struct stack *s, enum stack_part part, int replica,
                           const char *name)
{
    const struct program *p = stack_replica(s, part, replica);
    size_t n = strlen(name);

    for (int i = p->n_env - 1; i >= 0; i--)
        if (strncmp(p->env[i], name, n) == 0 && p->env[i][n] == '=')
            return p->env[i] + n + 1;
    abort();
}

const char *stack_replica_address(struct stack *s, enum stack_part part, int replica)
{
    return setting(s, part, replica, parts[part].listen) + strlen(scheme_of(part));
}

static int replicas_of(const struct stack_conf *conf, enum stack_part part)
{
    return conf->replicas[part] ? conf->replicas[part] : 1;
}

/* For every part, as each takes what it needs. */
static void set_everywhere(struct stack *s, const struct stack_conf *conf,
                           const char *setting)
{
    for (int i = 0; i < STACK_PARTS; i++)
        for (int r = 0; r < replicas_of(conf, i); r++)
            program_env(stack_replica(s, i, r), "%s", setting);
}

static void set_upstream(struct stack *s, const struct stack_conf *conf,
                         enum stack_part part)
{
    char text[256];
    int n = snprintf(text, sizeof text, "%s=", parts[part].upstream);

    if (conf->upstreams[part])
        (void)snprintf(text + n, sizeof text - (size_t)n, "%s", conf->upstreams[part]);
    for (int r = 0; !conf->upstreams[part] && r < replicas_of(conf, part); r++)
        n += snprintf(text + n, sizeof text - (size_t)n, "%s%s%s", r ? "," : "",
                      scheme_of(part), stack_replica_address(s, part, r));
    set_everywhere(s, conf, text);
}

static void set_listen(struct stack *s, enum stack_part part, int replica, int port)
{
    int admin = free_port();
    struct program *p = stack_replica(s, part, replica);

    if (replica == 0)
        s->admin[part] = admin;
    else
        s->more_admin[part][replica - 1] = admin;
    program_env(p, "VIADUCT_ADMIN_LISTEN=127.0.0.1:%d", admin);
    if (parts[part].listen)
        program_env(p, "%s=%s127.0.0.1:%d", parts[part].listen, scheme_of(part), port);
    if (part == STACK_GATEWAY)
        s->gateway_port = port;
}

static void set_hop_tls(struct program *p, const char *name)
{
    program_env(p, "VIADUCT_HOP_TLS_CERT=%s/%s.pem", hop_tls(), name);
    program_env(p, "VIADUCT_HOP_TLS_KEY=%s/%s.key", hop_tls(), name);
    program_env(p, "VIADUCT_HOP_TLS_CA=%s/ca.pem", hop_tls());
}

/* Like mkdir -p. */
static void make_folders(const char *path)
{
    char part[512];

    (void)snprintf(part, sizeof part, "%s/", path);
    for (char *p = part + 1; (p = strchr(p, '/')); p++) {
        *p = 0;
        if (mkdir(part, 0755) != 0 && errno != EEXIST) {
            (void)fprintf(stderr, "%s: %s\n", part, strerror(errno));
            abort();
        }
        *p = '/';
    }
}

static void make_replica(struct stack *s, enum stack_part part, int replica,
                         const struct stack_conf *conf)
{
    int port = conf->ports[part][replica];
    struct program *p = stack_replica(s, part, replica);
    char name[32];

    (void)snprintf(name, sizeof name, replica ? "%s-%d" : "%s", parts[part].name,
                   replica + 1);
    program_init(p, name, parts[part].binary, conf->logs);
    memcpy(p->args, parts[part].args, sizeof parts[part].args);
    if (hop_tls())
        set_hop_tls(p, parts[part].name);
    set_listen(s, part, replica, port ? port : free_port());
}

static void prepare(struct stack *s, const struct stack_conf *conf)
{
    make_folders(conf->logs);
    for (int i = 0; i < STACK_PARTS; i++)
        for (int r = 0; r < replicas_of(conf, i); r++)
            make_replica(s, i, r, conf);
    for (int i = 0; i < STACK_PARTS; i++)
        if (parts[i].upstream)
            set_upstream(s, conf, i);
    for (const char *const *env = conf->env; env && *env; env++)
        set_everywhere(s, conf, *env);
    program_env(&s->part[STACK_GATEWAY], "VIADUCT_LOOPS=%d", STACK_GATEWAY_LOOPS);
    program_env(&s->part[STACK_GATEWAY], "VIADUCT_DRAIN_IDLE_MS=100");
    program_env(&s->part[STACK_GATEWAY], "VIADUCT_LIMIT_IP=100000000");
    program_env(&s->part[STACK_GATEWAY], "VIADUCT_MAX_CONNECTIONS_PER_IP=0");
    program_env(&s->part[STACK_GATEWAY], "VIADUCT_LIMIT_USER=100000000");
    program_env(&s->part[STACK_GATEWAY], "VIADUCT_LIMIT_SIGN_IN=1000000");
    program_env(&s->part[STACK_GATEWAY], "VIADUCT_HOP_SLOW_MS=600000");
    program_env(&s->part[STACK_GATEWAY], "VIADUCT_REDIS_TIMEOUT_MS=5000");
    (void)snprintf(s->url, sizeof s->url, "http://127.0.0.1:%d", s->gateway_port);
}

static void run(struct stack *s, enum stack_part part, const char *command)
{
    int code = program_run(&s->part[part], command);

    if (code == 0)
        return;
    (void)fprintf(stderr, "%s %s: exit code %d\n", parts[part].name, command, code);
    abort();
}

void stack_start(struct stack *s, const char *logs)
{
    stack_start_with(s, &(struct stack_conf){.logs = logs});
}

void stack_start_with(struct stack *s, const struct stack_conf *conf)
{
    *s = (struct stack){0};
    prepare(s, conf);
    run(s, STACK_USERS, "migrate");
    run(s, STACK_ORDERS, "migrate");
    run(s, STACK_JOBS, "migrate");
    run(s, STACK_USERS, "seed");
    run(s, STACK_ORDERS, "seed");
    for (int i = 0; i < STACK_PARTS; i++)
        program_start(&s->part[i]);
    for (int i = 0; i < STACK_PARTS; i++)
        program_wait_until(&s->part[i], is_ready, &s->admin[i], 30);
}

void stack_stop(struct stack *s)
{
    bool all_well = true;

    for (int i = STACK_PARTS - 1; i >= 0; i--)
        for (int r = 0; r < STACK_REPLICAS_MAX; r++)
            all_well = ends_well(stack_replica(s, i, r)) && all_well;
    if (!all_well)
        abort();
}

void stack_load_env(const char *file)
{
    char line[1024];
    FILE *in = fopen(file, "r");

    if (!in) {
        (void)fprintf(stderr, "%s: %s\n", file, strerror(errno));
        abort();
    }
    while (fgets(line, sizeof line, in)) {
        char *value = strchr(line, '=');

        line[strcspn(line, "\n")] = 0;
        if (!value)
            continue;
        *value++ = 0;
        (void)setenv(line, value, 1);
    }
    (void)fclose(in);
}
