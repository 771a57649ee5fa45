// SPDX-License-Identifier: Apache-2.0
/*
 * Where the addresses of a service come from: the parts of its URL list, each a literal
 * address or a name that is resolved again and again. A replica stays in the list when
 * its address vanishes, so that its breaker is still known should the address come back.
 */
#include "kit/base/mem.h"
#include "kit/rpc/internal.h"
#include "kit/rpc/tls.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

enum { URL_MAX = 300 };

/* ---- replicas come and go --------------------------------------------------- */

static struct rpc_replica *find_replica(struct rpc_upstream *u, const char *url)
{
    LIST_EACH (it, &u->replicas) {
        struct rpc_replica *r = CONTAINER_OF(it, struct rpc_replica, link);

        if (strcmp(r->url, url) == 0)
            return r;
    }
    return NULL;
}

/* NULL or why not. */
static const char *have_replica(struct rpc_upstream *u, const char *url)
{
    struct rpc_replica *r = find_replica(u, url);
    const char *why = NULL;

    if (r) {
        rpc_replica_want(r, true);
        return NULL;
    }
    r = rpc_replica_create(u, url, &why);
    if (r)
        list_push(&u->replicas, &r->link);
    return why;
}

const char *rpc_upstream_host(const struct rpc_upstream *u, const char *url)
{
    for (unsigned i = 0; i < u->sources_n; i++) {
        const struct rpc_source *s = &u->sources[i];

        if (s->tls_host && s->addresses && rpc_addresses_have(s->addresses, url))
            return s->tls_host;
    }
    return NULL;
}

/* The name service speaks of tcp://. */
static void over_tls(struct rpc_addresses *a)
{
    char url[URL_MAX];

    for (unsigned i = 0; i < a->n; i++) {
        snprintf(url, sizeof url, "tls+%s", a->urls[i]);
        free(a->urls[i]);
        a->urls[i] = mem_strdup(url);
    }
}

static bool is_address(const struct rpc_upstream *u, const char *url)
{
    for (unsigned s = 0; s < u->sources_n; s++) {
        const struct rpc_addresses *a = u->sources[s].addresses;

        if (a && rpc_addresses_have(a, url))
            return true;
    }
    return false;
}

static void prune(struct rpc_upstream *u)
{
    struct rpc_replica *oldest = NULL;
    unsigned gone = 0;

    LIST_EACH (it, &u->replicas) {
        struct rpc_replica *r = CONTAINER_OF(it, struct rpc_replica, link);

        if (r->state != RPC_REPLICA_GONE)
            continue;
        if (!oldest)
            oldest = r;
        gone++;
    }
    if (gone > RPC_GONE_MAX)
        rpc_replica_destroy(oldest);
}

static void on_addresses(void *arg, const struct rpc_addresses *now)
{
    struct rpc_source *s = arg;
    struct rpc_upstream *u = s->upstream;

    rpc_addresses_free(s->addresses);
    s->addresses = rpc_addresses_copy(now);
    if (s->tls_host)
        over_tls(s->addresses);
    for (unsigned i = 0; i < s->addresses->n; i++) {
        const char *url = s->addresses->urls[i];
        const char *why = have_replica(u, url);

        if (why)
            LOG_ERROR(NULL, "rpc.bad_address", KV("url", url), KV("why", why));
    }
    LIST_EACH (it, &u->replicas) {
        struct rpc_replica *r = CONTAINER_OF(it, struct rpc_replica, link);

        rpc_replica_want(r, is_address(u, r->url));
    }
    prune(u);
}

/* ---- URLs ------------------------------------------------------------------- */

static const char *add_literal(struct rpc_source *s, const char *url)
{
    s->addresses = MEM_NEW(struct rpc_addresses);
    s->addresses->n = 1;
    s->addresses->urls[0] = mem_strdup(url);
    return have_replica(s->upstream, url);
}

static bool is_ip(const char *host)
{
    struct in6_addr any;

    return inet_pton(AF_INET, host, &any) == 1 || inet_pton(AF_INET6, host, &any) == 1;
}

/* Cuts "HOST:PORT" or "[HOST]:PORT" in two. */
static bool split_host(char *text, char **host, char **port)
{
    char *colon = strrchr(text, ':');
    int64_t number;

    if (!colon || !str_to_i64(str_of(colon + 1), 1, 65535, &number))
        return false;
    *colon = '\0';
    *port = colon + 1;
    *host = text;
    if (text[0] == '[' && colon[-1] == ']') {
        colon[-1] = '\0';
        *host = text + 1;
    }
    return **host != '\0';
}

/* `text` is what the parts point to. */
static const char *read_host(const char *url, char text[URL_MAX], char **host,
                             char **port)
{
    snprintf(text, URL_MAX, "%s", strstr(url, "://") + strlen("://"));
    if (!split_host(text, host, port) || strlen(*host) > RPC_TLS_NAME_MAX)
        return "it must be tcp://HOST:PORT or tls+tcp://HOST:PORT";
    return NULL;
}

static const char *add_host(struct rpc_source *s, const char *url, bool tls)
{
    char text[URL_MAX];
    char *host, *port;
    const char *why = read_host(url, text, &host, &port);

    if (why)
        return why;
    if (tls)
        s->tls_host = mem_strdup(host);
    if (is_ip(host))
        return add_literal(s, url);
    s->resolve =
        rpc_resolve_create(s->upstream->client->loop, host, port, on_addresses, s);
    return NULL;
}

static const char *add_tcp(struct rpc_source *s, const char *url)
{
    return add_host(s, url, false);
}

static const char *add_tls(struct rpc_source *s, const char *url)
{
    const char *why = rpc_tls_off();

    return why ? why : add_host(s, url, true);
}

static const struct scheme {
    const char *prefix;
    bool host; /* host and port follow */
    const char *(*add)(struct rpc_source *s, const char *url);
} SCHEMES[] = {
    {"tcp://", true, add_tcp},
    {"tls+tcp://", true, add_tls},
    {"ipc://", false, add_literal},
    {"inproc://", false, add_literal},
};

static const struct scheme *scheme_of(const char *url)
{
    for (size_t i = 0; i < sizeof SCHEMES / sizeof *SCHEMES; i++)
        if (str_starts(str_of(url), str_of(SCHEMES[i].prefix)))
            return &SCHEMES[i];
    return NULL;
}

static const char no_scheme[] =
    "it must begin with tcp://, tls+tcp://, ipc:// or inproc://";
static const char no_url[] = "it is empty or too long";

static const char *add_source(struct rpc_upstream *u, const char *url)
{
    struct rpc_source *s = &u->sources[u->sources_n];
    const struct scheme *scheme = scheme_of(url);

    if (u->sources_n == RPC_SOURCES_MAX)
        return "there are too many";
    if (!scheme)
        return no_scheme;
    u->sources_n++;
    *s = (struct rpc_source){.upstream = u};
    return scheme->add(s, url);
}

static const char *fault_of(const char *url)
{
    const struct scheme *scheme = scheme_of(url);
    char text[URL_MAX];
    char *host, *port;

    if (!scheme)
        return no_scheme;
    return scheme->host ? read_host(url, text, &host, &port) : NULL;
}

const struct err *rpc_urls_check(struct arena *a, const char *setting, const char *urls)
{
    struct str rest = str_of(urls);

    while (rest.p) {
        struct str part = str_trim(str_split(rest, ',', &rest));
        bool fits = part.n > 0 && part.n < URL_MAX;
        const char *why = fits ? fault_of(arena_str(a, part).p) : no_url;

        if (why)
            return err_new(a, &ERR_CODE_BAD_REQUEST, "%s: '%.*s': %s", setting,
                           STR_FMT(part), why);
    }
    return NULL;
}

const struct err *rpc_upstream_add(struct rpc_upstream *u, struct arena *a,
                                   const char *urls)
{
    struct str rest = str_of(urls);

    while (rest.p) {
        struct str part = str_trim(str_split(rest, ',', &rest));
        const char *why = no_url;

        if (part.n > 0 && part.n < URL_MAX)
            why = add_source(u, arena_str(a, part).p);
        if (why)
            return err_new(a, &ERR_CODE_BAD_PARAMETERS, "upstream of %s: '%.*s': %s",
                           u->service, STR_FMT(part), why);
    }
    return NULL;
}

void rpc_upstream_forget_sources(struct rpc_upstream *u)
{
    for (unsigned i = 0; i < u->sources_n; i++) {
        rpc_resolve_destroy(u->sources[i].resolve);
        rpc_addresses_free(u->sources[i].addresses);
        free(u->sources[i].tls_host);
    }
}
