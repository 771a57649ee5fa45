// SPDX-License-Identifier: Apache-2.0
/* The product as processes. */
#include "tests/support/stack/stack.h"

#include <curl/curl.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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

static size_t drop_bytes(char *p, size_t size, size_t n, void *arg)
{
    (void)p;
    (void)arg;
    return size * n;
}

bool stack_part_ready(const struct stack *s, enum stack_part part)
{
    CURL *curl = curl_easy_init();
    char url[64];
    long status = 0;

    (void)snprintf(url, sizeof url, "http://127.0.0.1:%d/readyz", s->admin[part]);
    (void)curl_easy_setopt(curl, CURLOPT_URL, url);
    (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 2000L);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, drop_bytes);
    if (curl_easy_perform(curl) == CURLE_OK)
        (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(curl);
    return status == 200;
}

struct readiness {
    const struct stack *s;
    enum stack_part part;
};

static bool is_ready(void *arg)
{
    const struct readiness *r = arg;

    return stack_part_ready(r->s, r->part);
}

static void wait_ready(struct stack *s, enum stack_part part)
{
    struct readiness r = {s, part};

    wait_until(is_ready, &r, 30, parts[part].name);
}

void stack_start_part(struct stack *s, enum stack_part part)
{
    program_start(&s->part[part]);
    wait_ready(s, part);
}

/* Every part gets every address: each takes what it needs. */
static void add_addresses(struct stack *s, const int *ports)
{
    for (int i = 0; i < STACK_PARTS; i++)
        for (int j = 0; j < STACK_PARTS; j++) {
            char address[64];

            if (!parts[j].listen)
                continue;
            (void)snprintf(address, sizeof address, "%s127.0.0.1:%d", parts[j].scheme,
                           ports[j]);
            program_env(&s->part[i], "%s=%s", parts[j].listen, address);
            if (parts[j].upstream)
                program_env(&s->part[i], "%s=%s", parts[j].upstream, address);
        }
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

static void prepare(struct stack *s, const char *logs)
{
    int ports[STACK_PARTS];

    make_folders(logs);
    for (int i = 0; i < STACK_PARTS; i++) {
        program_init(&s->part[i], parts[i].name, parts[i].binary, logs);
        memcpy(s->part[i].args, parts[i].args, sizeof parts[i].args);
        ports[i] = free_port();
        s->admin[i] = free_port();
        program_env(&s->part[i], "VIADUCT_ADMIN_LISTEN=127.0.0.1:%d", s->admin[i]);
    }
    add_addresses(s, ports);
    program_env(&s->part[STACK_GATEWAY], "VIADUCT_LIMIT_IP=1000000");
    program_env(&s->part[STACK_GATEWAY], "VIADUCT_LIMIT_USER=1000000");
    program_env(&s->part[STACK_GATEWAY], "VIADUCT_LIMIT_SIGN_IN=1000000");
    s->gateway_port = ports[STACK_GATEWAY];
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
    *s = (struct stack){0};
    prepare(s, logs);
    run(s, STACK_USERS, "migrate");
    run(s, STACK_ORDERS, "migrate");
    run(s, STACK_JOBS, "migrate");
    run(s, STACK_USERS, "seed");
    run(s, STACK_ORDERS, "seed");
    for (int i = 0; i < STACK_PARTS; i++)
        program_start(&s->part[i]);
    for (int i = 0; i < STACK_PARTS; i++)
        wait_ready(s, (enum stack_part)i);
}

void stack_stop(struct stack *s)
{
    bool all_well = true;

    for (int i = STACK_PARTS - 1; i >= 0; i--) {
        int code;

        if (s->part[i].pid == 0)
            continue;
        program_signal(&s->part[i], SIGTERM);
        code = program_wait(&s->part[i], 30);
        if (code != 0)
            (void)fprintf(stderr, "%s ended with %d\n", s->part[i].name, code);
        all_well = all_well && code == 0;
    }
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
