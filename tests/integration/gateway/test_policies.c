// SPDX-License-Identifier: Apache-2.0
/* Limits of two gateway processes on one Redis, and SIGHUP while they serve. */
#include "kit/base/id.h"
#include "tests/support/stack/api.h"
#include "tests/support/stack/stack.h"

#include <criterion/criterion.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { GATEWAYS = 2, CLIENTS = 4, LIMIT = 300, PATIENCE_S = 30 };

static struct stack stack;
static struct program gateways[GATEWAYS];
static char urls[GATEWAYS][64], settings[512];
static struct api api;

/* What may change must be in the file: the environment wins, and stays. */
static void put_settings(const char *text)
{
    FILE *f = fopen(settings, "w");

    cr_assert_not_null(f);
    cr_assert(fputs(text, f) >= 0);
    cr_assert_eq(fclose(f), 0);
}

static void drop_limits(struct program *p)
{
    int n = 0;

    for (int i = 0; i < p->n_env; i++)
        if (strncmp(p->env[i], "VIADUCT_LIMIT_", 14) != 0)
            memmove(p->env[n++], p->env[i], sizeof p->env[i]);
    p->n_env = n;
}

static bool serves(void *arg)
{
    struct api probe;
    struct answer a;

    api_open(&probe, arg);
    a = api_call(&probe, "GET", "/v1/products", NULL, NULL);
    api_close(&probe);
    return a.status == 200;
}

static void start_gateway(int i)
{
    struct program *p = &gateways[i];
    int port = free_port();

    *p = stack.part[STACK_GATEWAY];
    p->pid = 0;
    (void)snprintf(p->name, sizeof p->name, "gateway-%d-%d", i, (int)getpid());
    drop_limits(p);
    program_env(p, "VIADUCT_GATEWAY_LISTEN=127.0.0.1:%d", port);
    program_env(p, "VIADUCT_ADMIN_LISTEN=127.0.0.1:%d", free_port());
    p->args[0] = "--env";
    p->args[1] = settings;
    p->args[2] = NULL;
    (void)snprintf(urls[i], sizeof urls[i], "http://127.0.0.1:%d", port);
    program_start(p);
    program_wait_until(p, serves, urls[i], PATIENCE_S);
}

static void open_stack(void)
{
    stack_start(&stack, getenv("VIADUCT_TEST_LOGS"));
    /* The tests of a suite run side by side, each in a process of its own. */
    (void)snprintf(settings, sizeof settings, "%s/settings-%d.env",
                   getenv("VIADUCT_TEST_LOGS"), (int)getpid());
    put_settings("VIADUCT_LIMIT_IP=0\nVIADUCT_LIMIT_USER=300\nVIADUCT_LIMIT_TENANT=4\n"
                 "VIADUCT_LIMIT_USER_WINDOW_S=3600\n" /* none ends while a test runs */
                 "VIADUCT_LIMIT_TENANT_WINDOW_S=3600\n");
    for (int i = 0; i < GATEWAYS; i++)
        start_gateway(i);
    api_open(&api, stack.url);
}

static void close_stack(void)
{
    api_close(&api);
    for (int i = 0; i < GATEWAYS; i++) {
        program_signal(&gateways[i], SIGTERM);
        cr_expect_eq(program_wait(&gateways[i], PATIENCE_S), 0);
    }
    stack_stop(&stack);
}

TestSuite(policies, .init = open_stack, .fini = close_stack, .timeout = 180);

/* ---- one limit ---- */

static atomic_int admitted, refused, failed;
static const char *token;

static int call_me(struct api *a)
{
    int status = api_call(a, "GET", "/v1/users/me", token, NULL).status;

    atomic_fetch_add(status == 200 ? &admitted : status == 429 ? &refused : &failed, 1);
    return status;
}

/* Until the limit is reached, and then some more. */
static void *insist(void *arg)
{
    struct api mine;

    api_open(&mine, arg);
    for (int more = 20; more > 0 && atomic_load(&failed) == 0;) {
        (void)call_me(&mine);
        more -= atomic_load(&admitted) >= LIMIT;
    }
    api_close(&mine);
    return NULL;
}

Test(policies, two_gateways_admit_exactly_the_limit)
{
    pthread_t threads[CLIENTS];

    token = api_member(&api).token;
    for (int i = 0; i < CLIENTS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, insist, urls[i % GATEWAYS]), 0);
    for (int i = 0; i < CLIENTS; i++)
        pthread_join(threads[i], NULL);
    cr_expect_eq(admitted, LIMIT, "%d", admitted);
    cr_expect_eq(failed, 0);
    cr_expect_gt(refused, 0);
}

/* ---- tenants ---- */

static const char *sign_in_again(const struct member *m)
{
    return api_login(&api, m->email, "a long password");
}

static void put_into(const struct member *m, const char *tenant)
{
    const char *admin = api_login(&api, "admin@example.com", "admin-password");
    struct answer a = api_call(&api, "PATCH", api_text(&api, "/v1/users/%s", m->id),
                               admin, api_text(&api, "{\"tenant\":\"%s\"}", tenant));

    cr_assert_eq(a.status, 200, "%s", a.body.p);
}

static int status_of(struct api *a, const char *with)
{
    return api_call(a, "GET", "/v1/users/me", with, NULL).status;
}

/* By their tokens and by an API key, at either gateway. */
Test(policies, users_of_a_tenant_share_its_limit)
{
    struct member one = api_member(&api), other = api_member(&api),
                  alone = api_member(&api);
    const char *tenant = uuid_str(&api.arena, uuid_new()).p;
    const char *ones, *others, *key;
    struct api at[GATEWAYS];
    struct answer made;

    put_into(&one, tenant);
    put_into(&other, tenant);
    ones = sign_in_again(&one);
    others = sign_in_again(&other);
    made = api_call(&api, "POST", "/v1/api-keys", others,
                    "{\"name\":\"Script\",\"scopes\":[\"account:read\"]}");
    key = answer_get(&api, &made, "/key");
    cr_assert_not_null(key);
    for (int i = 0; i < GATEWAYS; i++)
        api_open(&at[i], urls[i]);
    cr_expect_eq(status_of(&at[0], ones), 200);
    cr_expect_eq(status_of(&at[1], others), 200);
    cr_expect_eq(status_of(&at[0], key), 200);
    cr_expect_eq(status_of(&at[1], ones), 200);
    made = api_call(&at[0], "GET", "/v1/users/me", others, NULL);
    cr_expect_eq(made.status, 429, "%s", made.body.p);
    cr_expect_not_null(strstr(made.body.p, "'tenant'"), "%s", made.body.p);
    cr_expect_eq(status_of(&at[1], key), 429);
    cr_expect_eq(status_of(&at[0], ones), 429);
    cr_expect_eq(status_of(&at[1], alone.token), 200);
    for (int i = 0; i < GATEWAYS; i++)
        api_close(&at[i]);
}

/* ---- SIGHUP ---- */

static atomic_bool traffic_ends;

static void *traffic(void *arg)
{
    struct api mine;

    api_open(&mine, arg);
    while (!atomic_load(&traffic_ends)) {
        int status = api_call(&mine, "GET", "/v1/products", NULL, NULL).status;

        atomic_fetch_add(status == 200 ? &admitted : &failed, 1);
    }
    api_close(&mine);
    return NULL;
}

#define PAGE "https://page.example" /* which calls */

struct expected {
    const char *policy; /* part of the answer's fields; NULL: of no interest */
    int status;
};

static bool answers_so(void *arg)
{
    static const char *const headers[] = {"Origin: " PAGE, NULL};
    const struct expected *want = arg;
    struct api probe;
    struct answer a;
    bool so;

    api_open(&probe, urls[0]);
    a = api_call_with(&probe, "GET", "/v1/users/me", token, NULL, headers);
    so = a.status == want->status && (!want->policy || strstr(a.headers.p, want->policy));
    api_close(&probe);
    return so;
}

static void becomes(const char *text, const char *policy, int status)
{
    struct expected want = {policy, status};

    put_settings(text);
    program_signal(&gateways[0], SIGHUP);
    program_wait_until(&gateways[0], answers_so, &want, PATIENCE_S);
}

/* The log of the first gateway from where it ended at the last note_log(): it is long,
 * and may be that of an earlier run in front. */
static FILE *log_file;

static void note_log(void)
{
    char path[640];

    (void)snprintf(path, sizeof path, "%s/%s.log", gateways[0].logs, gateways[0].name);
    log_file = fopen(path, "r");
    cr_assert_not_null(log_file);
    cr_assert_eq(fseek(log_file, 0, SEEK_END), 0);
}

static bool is_logged(void *arg)
{
    static char line[1 << 16];
    bool found = false;
    long at;

    while (!found && (at = ftell(log_file), fgets(line, sizeof line, log_file))) {
        if (!strchr(line, '\n')) { /* not whole yet */
            (void)fseek(log_file, at, SEEK_SET);
            break;
        }
        found = strstr(line, arg) != NULL;
    }
    clearerr(log_file);
    return found;
}

static void is_refused(const char *text, char *named, const char *policy, int status)
{
    struct expected still = {policy, status};

    put_settings(text);
    note_log();
    program_signal(&gateways[0], SIGHUP);
    program_wait_until(&gateways[0], is_logged, named, PATIENCE_S);
    (void)fclose(log_file);
    cr_expect(answers_so(&still), "%s", named);
}

/* ---- round trips ---- */

static long calls_of(const char *stats, const char *mark)
{
    const char *at = strstr(stats, mark);

    return at ? strtol(at + strlen(mark), NULL, 10) : 0;
}

/* How often Redis has been asked to judge, by its own count; a loop's connection sends
 * the script itself the first time. */
static long judged(void)
{
    static const char ask[] = "INFO commandstats\r\n";
    const char *url = getenv("VIADUCT_REDIS");
    const char *colon = url ? strrchr(url, ':') : NULL;
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    static char text[1 << 16];
    size_t n = 0, whole = SIZE_MAX;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    const char *at;

    cr_assert(colon && fd >= 0);
    to.sin_port = htons((uint16_t)strtol(colon + 1, NULL, 10));
    cr_assert_eq(connect(fd, (const struct sockaddr *)&to, sizeof to), 0);
    cr_assert_eq(send(fd, ask, sizeof ask - 1, 0), (ssize_t)sizeof ask - 1);
    while (n < whole) { /* $BYTES, a line end, and so many bytes */
        ssize_t got = recv(fd, text + n, sizeof text - 1 - n, 0);

        cr_assert_gt(got, 0);
        text[n += (size_t)got] = '\0';
        at = strchr(text, '\n');
        if (at)
            whole = (size_t)(at + 1 - text) + strtoul(text + 1, NULL, 10);
    }
    close(fd);
    return calls_of(text, "cmdstat_eval:calls=") +
           calls_of(text, "cmdstat_evalsha:calls=");
}

/* Tokens and keys that the gateway has not seen, one that it has, one that is not good;
 * limits of short windows, so that no leases mix in; and what is asked for cannot be had,
 * so that no service asks Redis anything. */
Test(policies, count_each_request_in_one_round_trip)
{
    struct member m = api_member(&api);
    struct answer made = api_call(&api, "POST", "/v1/api-keys", m.token,
                                  "{\"name\":\"S\",\"scopes\":[\"account:read\"]}");
    const char *fresh[] = {sign_in_again(&m), sign_in_again(&m), NULL, m.token,
                           "nonsense"};
    const int status[] = {406, 406, 406, 406, 401};
    const char *const headers[] = {"Accept: text/plain", NULL};
    struct api mine;

    token = m.token;
    fresh[2] = answer_get(&api, &made, "/key");
    becomes(
        "VIADUCT_LIMIT_IP=5000\nVIADUCT_LIMIT_IP_WINDOW_S=9\nVIADUCT_LIMIT_USER=300\n",
        "\"ip\";q=5000;w=9", 200);
    api_open(&mine, urls[0]);
    /* the first call at a loop brings the script, and is no EVALSHA */
    cr_expect_eq(api_call(&mine, "GET", "/v1/users/me", token, NULL).status, 200);
    for (size_t i = 0; i < sizeof fresh / sizeof *fresh; i++) {
        long before = judged();
        struct answer a =
            api_call_with(&mine, "GET", "/v1/users/me", fresh[i], NULL, headers);

        cr_expect_eq(a.status, status[i], "%zu: %d", i, a.status);
        cr_expect_not_null(strstr(a.headers.p, "\"ip\";r="));
        cr_expect_eq(strstr(a.headers.p, "\"user\";r=") != NULL, status[i] == 406);
        cr_expect_eq(judged() - before, 1, "%zu: %ld", i, judged() - before);
    }
    api_close(&mine);
}

Test(policies, change_under_traffic_and_stay_when_they_are_bad)
{
    static char limit[] = "VIADUCT_LIMIT_USER",
                list[] = "VIADUCT_IP_DENY_API: ", origins[] = "VIADUCT_CORS_ORIGINS: ";
    pthread_t thread;

    token = api_member(&api).token;
    cr_assert_eq(pthread_create(&thread, NULL, traffic, urls[0]), 0);
    becomes("VIADUCT_LIMIT_IP=0\nVIADUCT_LIMIT_USER=5000\n", "\"user\";q=5000;w=60", 200);
    is_refused("VIADUCT_LIMIT_USER=many\n", limit, "\"user\";q=5000;w=60", 200);
    becomes(
        "VIADUCT_LIMIT_IP=0\nVIADUCT_LIMIT_USER=4000\nVIADUCT_LIMIT_USER_WINDOW_S=30\n",
        "\"user\";q=4000;w=30", 200);
    becomes("VIADUCT_LIMIT_IP=0\nVIADUCT_IP_DENY_API=127.0.0.0/8\n", NULL, 403);
    is_refused("VIADUCT_LIMIT_IP=0\nVIADUCT_IP_DENY_API=nonsense\n", list, NULL, 403);
    becomes("VIADUCT_LIMIT_IP=0\nVIADUCT_LIMIT_USER=4001\n", "\"user\";q=4001;w=60", 200);
    becomes("VIADUCT_LIMIT_IP=0\nVIADUCT_CORS_ORIGINS=" PAGE "\n", ": " PAGE "\r\n", 200);
    is_refused("VIADUCT_LIMIT_IP=0\nVIADUCT_CORS_ORIGINS=*\n", origins, ": " PAGE "\r\n",
               200);
    atomic_store(&traffic_ends, true);
    pthread_join(thread, NULL);
    cr_expect_eq(failed, 0);
    cr_expect_gt(admitted, 0);
}
