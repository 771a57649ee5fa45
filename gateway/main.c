// SPDX-License-Identifier: Apache-2.0
/* viaduct-gateway: the HTTP edge. One edge per loop, all of them on one address. */
#include "gateway/conf.h"
#include "gateway/edge/cors.h"
#include "gateway/edge/edge.h"
#include "gateway/edge/respond.h"
#include "gateway/openapi.h"
#include "gateway/routes.h"
#include "kit/base/clock.h"
#include "kit/svc/svc.h"

enum { LOOPS_MAX = 256, WARM_CHECK_MS = 5, WARM_AT_MOST_MS = 5000 };

/* Ready when it could answer anything, or when that takes too long: a gateway that starts
 * while a service is down still serves the others. */
struct warming {
    struct loop_timer timer;
    const struct edge *edge;
    struct svc_gate *gate;
    int64_t began_us;
};

static struct edge *edges[LOOPS_MAX];
static struct warming warming[LOOPS_MAX];
static struct buf document;
static struct arena forever;
static struct http_tls *tls; /* what the loops begin with */
static struct pages *pages;
static struct str document_etag;
static struct http_quota *quota; /* of all loops and both listeners */

static void check_warm(struct loop_timer *t)
{
    struct warming *w = CONTAINER_OF(t, struct warming, timer);

    if (edge_is_warm(w->edge) || clock_mono_us() - w->began_us > WARM_AT_MOST_MS * 1000LL)
        svc_gate_open(w->gate);
    else
        loop_timer_set(t, WARM_CHECK_MS);
}

static void warm_up(struct svc *s, struct loop *l, unsigned index)
{
    struct warming *w = &warming[index];

    *w = (struct warming){.edge = edges[index],
                          .gate = svc_gate_add(s, "upstreams"),
                          .began_us = clock_mono_us()};
    loop_timer_init(&w->timer, l, check_warm);
    loop_timer_set(&w->timer, 0);
}

/* ---- health ---- */

static bool service_up(void *arg)
{
    return edge_dependency_up(edges[0], arg);
}

static void name_dependencies(struct svc *s)
{
    static char users[] = "users", orders[] = "orders", jobs[] = "jobs";

    svc_dependency(s, "redis", service_up, NULL);
    svc_dependency(s, users, service_up, users);
    svc_dependency(s, orders, service_up, orders);
    svc_dependency(s, jobs, service_up, jobs);
}

/* ---- life ---- */

static struct client_conf client_conf(const struct gateway_conf *c)
{
    return (struct client_conf){.trusted = c->trusted_proxies,
                                .field = c->proxy_field,
                                .deny = c->ip_deny,
                                .of_class = {
#define CLASS_LISTS(C, symbol, member, ...) \
    [symbol] = {C->ip_allow_##member, C->ip_deny_##member},
                                    ROUTE_CLASSES(CLASS_LISTS, c)
#undef CLASS_LISTS
                                }};
}

static struct limiter_conf limiter_conf(const struct svc *s, const struct gateway_conf *c)
{
    return (struct limiter_conf){
        .rules =
            {
#define LIMIT_RULE(C, symbol, member, ...) \
    [symbol] = {C->limit_##member, C->window_##member},
                LIMIT_POLICIES(LIMIT_RULE, c)
#undef LIMIT_RULE
            },
        .loops = svc_loop_count(s),
    };
}

static const struct err *check_addresses(struct arena *a, const struct gateway_conf *c)
{
    const struct client_conf client = client_conf(c);
    const struct err *e = cors_check(a, c->cors_origins);
    struct client_rules rules;

    if (!e)
        e = client_rules_read(a, &client, &rules);
    if (!e && c->proxy_protocol && rules.trusted.n == 0)
        e = err_new(
            a, &ERR_CODE_BAD_REQUEST,
            "VIADUCT_PROXY_PROTOCOL is for VIADUCT_TRUSTED_PROXIES: there are none");
    return e;
}

static const struct err *load_tls(struct arena *a, const struct gateway_conf *c,
                                  struct http_tls **out)
{
    const struct http_tls_conf conf = {c->tls_certificates, c->tls_tickets};

    return *c->tls_listen ? http_tls_load(a, &conf, out) : NULL;
}

static const struct err *check_listen(struct arena *a, const char *setting,
                                      const char *listen)
{
    if (http_address_is_valid(listen))
        return NULL;
    return err_new(a, &ERR_CODE_BAD_REQUEST,
                   "%s must be an address with a port, but is \"%.100s\"", setting,
                   listen);
}

static const struct err *check_listeners(struct arena *a, const struct gateway_conf *c)
{
    const struct err *e = check_listen(a, "VIADUCT_GATEWAY_LISTEN", c->listen);

    return e || !*c->tls_listen
               ? e
               : check_listen(a, "VIADUCT_GATEWAY_TLS_LISTEN", c->tls_listen);
}

static const struct err *check_upstreams(struct arena *a, const struct gateway_conf *c)
{
    const struct err *e = rpc_urls_check(a, "VIADUCT_USERS_UPSTREAM", c->users);

    if (!e)
        e = rpc_urls_check(a, "VIADUCT_ORDERS_UPSTREAM", c->orders);
    return e ? e : rpc_urls_check(a, "VIADUCT_JOBS_UPSTREAM", c->jobs);
}

static const struct err *check(struct arena *a, void *conf)
{
    const struct gateway_conf *c = conf;
    const char *why = routes_check(a, routes);
    const char *const urls[] = {c->users, c->orders, c->jobs, NULL};
    const struct err *e = check_addresses(a, c);
    struct http_tls *fresh = NULL;
    struct pages *docs = NULL;

    if (c->drain_idle_ms >= c->drain_ms)
        return err_new(a, &ERR_CODE_BAD_REQUEST,
                       "VIADUCT_DRAIN_IDLE_MS must be less than VIADUCT_DRAIN_MS");
    if (!redis_url_valid(c->redis))
        return err_new(a, &ERR_CODE_BAD_REQUEST, "VIADUCT_REDIS is not a redis:// URL");
    if (why)
        return err_new(a, &ERR_CODE_INTERNAL, "%s", why);
    if (!e)
        e = check_listeners(a, c);
    if (!e)
        e = check_upstreams(a, c);
    if (!e)
        e = load_tls(a, c, &fresh);
    if (!e)
        e = pages_load(a, c->docs, &docs);
    http_tls_unref(fresh);
    pages_destroy(docs);
    return e ? e : rpc_tls_check(a, &RPC_TLS_FILES(c), urls);
}

/* Both listeners of a loop together have what each of them may have. */
static struct http_quota_conf quota_conf(const struct svc *s,
                                         const struct gateway_conf *c)
{
    return (struct http_quota_conf){
        .connections = svc_loop_count(s) * (unsigned)c->connections,
        .connections_of_address = (unsigned)c->connections_of_ip,
        .body_bytes = (size_t)c->body_budget,
    };
}

static const struct err *start(struct arena *a, struct svc *s, void *conf)
{
    const struct gateway_conf *c = conf;
    const struct http_quota_conf shares = quota_conf(s, c);
    const struct err *e = load_tls(a, c, &tls);

    if (!e)
        e = pages_load(a, c->docs, &pages);
    if (e)
        return e;
    quota = http_quota_create(&shares);
    svc_reserve_descriptors(shares.connections);
    rpc_process_init();
    arena_init(&forever);
    buf_init(&document, OPENAPI_BYTES_MAX);
    openapi_write(&document, routes,
                  &(struct openapi_limits){(size_t)c->head_bytes, (size_t)c->body_bytes});
    document_etag = respond_etag(&forever, 0, buf_view(&document));
    return rpc_tls_start(a, &RPC_TLS_FILES(c));
}

/* What a body may have on the route that takes most. */
static size_t body_bytes_max(const struct gateway_conf *c)
{
    size_t max = (size_t)c->body_bytes;

    for (const struct route *r = routes; r->path; r++)
        max = route_body_max(r, 0) > max ? route_body_max(r, 0) : max;
    return max;
}

static struct http_conf http_conf(const struct gateway_conf *c)
{
    return (struct http_conf){
        .listen = c->listen,
        .max_connections = (unsigned)c->connections,
        .max_head_bytes = (size_t)c->head_bytes,
        .max_body_bytes = body_bytes_max(c),
        .idle_ms = c->idle_ms,
        .drain_idle_ms = c->drain_idle_ms,
        .request_ms = c->receive_ms,
        .handshake_ms = c->handshake_ms,
        .proxy_header = c->proxy_protocol,
        .response_ms = c->response_ms,
        .reuseport = true,
        .quota = quota,
        .lasting = {buf_view(&document), pages_bytes(pages)},
    };
}

static struct edge_conf edge_conf(const struct svc *s, const struct gateway_conf *c)
{
    return (struct edge_conf){
        .issuer = c->issuer,
        .audience = c->audience,
        .api_key_ms = c->api_key_ms,
        .users = c->users,
        .orders = c->orders,
        .jobs = c->jobs,
        .zone = c->zone,
        .hop_in_flight = (unsigned)c->hop_in_flight,
        .hop_in_flight_min = (unsigned)c->hop_in_flight_min,
        .hop_slow_ms = c->hop_slow_ms,
        .hedge_ms = c->hedge_ms,
        .redis = {.url = c->redis, .max_in_flight = 4096, .timeout_ms = c->redis_ms},
        .http = http_conf(c),
        .https_listen = c->tls_listen,
        .tls = tls,
        .hsts_s = c->hsts_s,
        .redirect_port = (int)c->tls_redirect,
        .body_bytes = (size_t)c->body_bytes,
        .request_timeout_ms = c->work_ms,
        .limits = limiter_conf(s, c),
        .client = client_conf(c),
        .cors_origins = c->cors_origins,
        .routes = routes,
        .openapi = buf_view(&document),
        .openapi_etag = document_etag,
        .pages = pages,
    };
}

static const struct err *start_loop(struct arena *a, struct svc *s, struct loop *l,
                                    unsigned index)
{
    const struct edge_conf conf = edge_conf(s, svc_conf(s));
    const struct err *e = edge_create(a, l, &conf, &edges[index]);

    if (e)
        return e;
    warm_up(s, l, index);
    if (index == 0) {
        name_dependencies(s);
        LOG_INFO(NULL, "gateway.listening", KV("port", edge_port(edges[0])));
    }
    return NULL;
}

/* ---- SIGHUP ---- */

/* Each loop takes a copy; what that points to stays to the end of the process. */
struct change {
    struct loop_post post;
    unsigned index;
    struct http_tls *tls;
    struct limiter_conf limits;
    struct client_rules client;
    const char *cors_origins;
};

static void change_loop(struct loop_post *p)
{
    struct change *c = CONTAINER_OF(p, struct change, post);

    if (edges[c->index]) {
        edge_set_tls(edges[c->index], c->tls);
        edge_set_policies(edges[c->index], &c->limits, &c->client, c->cors_origins);
    }
    http_tls_unref(c->tls);
}

static const struct err *reload(struct arena *a, struct svc *s, void *conf)
{
    const struct gateway_conf *settings = conf;
    const struct http_quota_conf shares = quota_conf(s, conf);
    const struct limiter_conf limits = limiter_conf(s, conf);
    const struct client_conf client = client_conf(conf);
    struct client_rules rules;
    struct http_tls *fresh = NULL;
    const struct err *e = client_rules_read(a, &client, &rules);

    if (!e)
        e = load_tls(a, conf, &fresh);
    if (e)
        return e;
    http_quota_set(quota, &shares);
    for (unsigned i = 0; i < svc_loop_count(s); i++) {
        struct change *c = ARENA_NEW(a, struct change);

        *c = (struct change){.post = {.fn = change_loop},
                             .index = i,
                             .tls = http_tls_ref(fresh),
                             .limits = limits,
                             .client = rules,
                             .cors_origins = settings->cors_origins};
        loop_post(svc_loop(s, i), &c->post);
    }
    http_tls_unref(fresh);
    return NULL;
}

static void drain(struct svc *s, struct loop *l, unsigned index)
{
    (void)s;
    (void)l;
    edge_drain(edges[index]);
}

static bool idle(struct svc *s, struct loop *l, unsigned index)
{
    (void)s;
    (void)l;
    return edge_drained(edges[index]);
}

static void stop_loop(struct svc *s, struct loop *l, unsigned index)
{
    (void)s;
    (void)l;
    loop_timer_clear(&warming[index].timer);
    edge_destroy(edges[index]);
    edges[index] = NULL;
}

static void stop(struct svc *s)
{
    (void)s;
    rpc_tls_stop();
    http_quota_destroy(quota);
    http_tls_unref(tls);
    buf_fini(&document);
    pages_destroy(pages);
    arena_fini(&forever);
}

int main(int argc, char **argv)
{
    static struct gateway_conf conf;
    static const struct svc_command commands[] = {{0}};
    static const struct svc_def def = {
        .name = "viaduct-gateway",
        .about = "The HTTP edge: limits, tokens, validation, routing, JSON.",
        .options = gateway_conf_options,
        .conf = &conf,
        .conf_size = sizeof conf,
        .commands = commands,
        .default_loops = 0,
        .check = check,
        .start = start,
        .loop_start = start_loop,
        .reload = reload,
        .drain = drain,
        .idle = idle,
        .loop_stop = stop_loop,
        .stop = stop,
    };

    return svc_main(&def, argc, argv);
}
