// SPDX-License-Identifier: Apache-2.0
/* The admin thread: its loop and the pages of the admin port. */
#include "kit/base/clock.h"
#include "kit/base/mem.h"
#include "kit/svc/internal.h"

#include <signal.h>

static const struct err_code NO_SUCH_PAGE = {"admin.no_such_page", ERR_NOT_FOUND,
                                             "There is no such page"};
static const struct err_code READ_ONLY = {"admin.read_only", ERR_METHOD_NOT_ALLOWED,
                                          "The pages of the admin port can only be read"};

/* ---- pages: each writes its body and gives the status ---- */

static int livez(struct svc *s, struct buf *b)
{
    unsigned stuck = svc_stuck_loops(s);

    buf_printf(b, "{\"status\":\"%s\",\"stuck_loops\":%u}", stuck ? "stuck" : "alive",
               stuck);
    return stuck ? 503 : 200;
}

static const char *state_name(const struct svc *s)
{
    static const char *const NAMES[] = {
        [SVC_STARTING] = "starting",    [SVC_RUNNING] = "ready",
        [SVC_DRAIN_DELAY] = "draining", [SVC_DRAINING] = "draining",
        [SVC_STOPPING] = "draining",
    };

    return svc_phase(s) == SVC_RUNNING && !s->ready ? "starting" : NAMES[svc_phase(s)];
}

static bool is_ready(const struct svc *s)
{
    return svc_phase(s) == SVC_RUNNING && s->ready;
}

static int readyz(struct svc *s, struct buf *b)
{
    buf_printf(b, "{\"status\":\"%s\",\"waiting_for\":", state_name(s));
    svc_gates_put_shut(s, b);
    buf_byte(b, '}');
    return is_ready(s) ? 200 : 503;
}

/* While loops end, what they own must not be asked any more. */
static bool put_dependencies(struct svc *s, struct buf *b)
{
    if (svc_phase(s) != SVC_STOPPING)
        return svc_dependencies_put(s, b);
    buf_str(b, STR("[]"));
    return false;
}

static int health(struct svc *s, struct buf *b)
{
    int64_t up_s = (clock_mono_us() - s->start_us) / 1000000;
    bool good;

    buf_printf(
        b,
        "{\"service\":\"%s\",\"version\":\"%s\",\"state\":\"%s\",\"uptime_s\":%lld,"
        "\"dependencies\":",
        s->def->name, VIADUCT_VERSION, state_name(s), (long long)up_s);
    good = put_dependencies(s, b);
    buf_printf(b, ",\"status\":\"%s\"}", good ? "ok" : "degraded");
    return good ? 200 : 503;
}

static int metrics(struct svc *s, struct buf *b)
{
    (void)s;
    metrics_render(b);
    return 200;
}

static const struct page {
    const char *path;
    int (*put)(struct svc *s, struct buf *b);
    const char *type;
} PAGES[] = {
    {"/livez", livez, "application/json"},
    {"/readyz", readyz, "application/json"},
    {"/health", health, "application/json"},
    {"/metrics", metrics, "text/plain; version=0.0.4; charset=utf-8"},
    {0},
};

static void reply(struct http_req *r, int status, const char *type, struct buf *b)
{
    static const struct http_reply_header HEADERS[] = {
        {"Cache-Control", {"no-store", sizeof "no-store" - 1}},
        {"Allow", {"GET, HEAD", sizeof "GET, HEAD" - 1}},
    };

    http_reply(r, status, type, HEADERS, status == 405 ? 2 : 1, buf_view(b));
}

static void refuse(struct http_req *r, const struct err_code *code, struct buf *b)
{
    http_problem(b, &(struct err){.code = code}, (struct str){0}, (struct str){0});
    reply(r, err_kind_info(code->kind)->http_status, "application/problem+json", b);
}

static void serve(void *arg, struct http_req *r)
{
    const struct page *p = PAGES;
    struct buf b;

    while (p->path && !str_eq(str_of(p->path), r->path))
        p++;
    buf_init(&b, SVC_PAGE_CAP);
    if (!p->path)
        refuse(r, &NO_SUCH_PAGE, &b);
    else if (r->method != HTTP_GET && r->method != HTTP_HEAD)
        refuse(r, &READ_ONLY, &b);
    else
        reply(r, p->put(arg, &b), p->type, &b);
    buf_fini(&b);
}

/* ---- the thread ---- */

/* The other threads were made with these blocked. */
static void take_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static void *run_admin(void *arg)
{
    struct svc *s = arg;

    take_signals();
    loop_run(s->admin);
    return NULL;
}

static const struct err *listen_admin(struct svc *s)
{
    const struct http_conf conf = {
        .listen = s->conf->admin_listen,
        .max_connections = 64,
        .max_head_bytes = 8192,
        .max_body_bytes = 1024,
        .idle_ms = 60000,
        .request_ms = 5000,
    };

    return http_server_create(&s->arena, s->admin, &conf, serve, s, &s->http);
}

const struct err *svc_admin_start(struct svc *s)
{
    const struct err *e;

    s->admin = loop_create();
    e = listen_admin(s);
    if (e) {
        loop_destroy(s->admin);
        return e;
    }
    svc_phases_init(s);
    svc_watch_init(s);
    if (pthread_create(&s->admin_thread, NULL, run_admin, s) != 0)
        mem_die("svc: no thread for the admin port");
    pthread_setname_np(s->admin_thread, "admin");
    return NULL;
}

void svc_admin_stop(struct svc *s)
{
    loop_stop(s->admin);
    pthread_join(s->admin_thread, NULL);
    svc_watch_fini(s);
    svc_phases_fini(s);
    http_server_destroy(s->http);
    loop_destroy(s->admin);
}
