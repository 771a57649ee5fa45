// SPDX-License-Identifier: Apache-2.0
/* See quota.h. Addresses are in a table of chains, those without a connection are not. */
#include "kit/http/quota.h"
#include "kit/base/id.h"
#include "kit/base/mem.h"
#include "kit/obs/metrics.h"

#include <assert.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { CHAINS = 4096 };

struct address {
    struct address *next;
    struct http_quota_key key;
    unsigned n;
};

struct http_quota {
    pthread_mutex_t lock;
    struct http_quota_conf conf; /* under the lock, but for body_bytes */
    unsigned n;
    struct address *chains[CHAINS];

    atomic_size_t bytes, bytes_max;
    struct metric *bytes_metric;
};

struct http_quota *http_quota_create(const struct http_quota_conf *conf)
{
    struct http_quota *q = MEM_NEW(struct http_quota);

    pthread_mutex_init(&q->lock, NULL);
    q->bytes_metric = metrics_gauge("viaduct_http_body_bytes",
                                    "Bytes of request bodies held in memory", NULL);
    http_quota_set(q, conf);
    return q;
}

void http_quota_destroy(struct http_quota *q)
{
    if (!q)
        return;
    pthread_mutex_destroy(&q->lock);
    free(q);
}

void http_quota_set(struct http_quota *q, const struct http_quota_conf *conf)
{
    pthread_mutex_lock(&q->lock);
    q->conf = *conf;
    pthread_mutex_unlock(&q->lock);
    atomic_store(&q->bytes_max, conf->body_bytes ? conf->body_bytes : SIZE_MAX);
}

/* ---- connections ---- */

struct http_quota_key http_quota_key(const struct sockaddr *peer)
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct http_quota_key k = {{0}};

    if (peer->sa_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)peer;
        size_t n = memcmp(&six->sin6_addr, mapped, sizeof mapped) == 0 ? 16 : 8;

        memcpy(k.bytes, &six->sin6_addr, n);
    } else if (peer->sa_family == AF_INET) {
        memcpy(k.bytes, mapped, sizeof mapped);
        memcpy(k.bytes + 12, &((const struct sockaddr_in *)(const void *)peer)->sin_addr,
               4);
    }
    return k;
}

static struct address **find(struct http_quota *q, const struct http_quota_key *key)
{
    struct address **at = &q->chains[hash_bytes(key, sizeof *key) % CHAINS];

    while (*at && memcmp(&(*at)->key, key, sizeof *key) != 0)
        at = &(*at)->next;
    return at;
}

static enum http_quota_answer may_enter(const struct http_quota *q,
                                        const struct address *a)
{
    if (q->conf.connections && q->n >= q->conf.connections)
        return HTTP_QUOTA_FULL;
    if (q->conf.connections_of_address && a && a->n >= q->conf.connections_of_address)
        return HTTP_QUOTA_ADDRESS_FULL;
    return HTTP_QUOTA_YES;
}

static void enter_address(struct address **at, const struct http_quota_key *key)
{
    if (!*at) {
        *at = MEM_NEW(struct address);
        (*at)->key = *key;
    }
    (*at)->n++;
}

enum http_quota_answer http_quota_enter(struct http_quota *q,
                                        const struct http_quota_key *key)
{
    enum http_quota_answer answer;
    struct address **at;

    pthread_mutex_lock(&q->lock);
    at = key ? find(q, key) : NULL;
    answer = may_enter(q, at ? *at : NULL);
    if (answer == HTTP_QUOTA_YES) {
        q->n++;
        if (at)
            enter_address(at, key);
    }
    pthread_mutex_unlock(&q->lock);
    return answer;
}

void http_quota_leave(struct http_quota *q, const struct http_quota_key *key)
{
    struct address **at, *gone = NULL;

    pthread_mutex_lock(&q->lock);
    at = key ? find(q, key) : NULL;
    assert(!at || *at);
    q->n--;
    if (at && --(*at)->n == 0) {
        gone = *at;
        *at = gone->next;
    }
    pthread_mutex_unlock(&q->lock);
    free(gone);
}

/* ---- bytes ---- */

bool http_quota_take_bytes(struct http_quota *q, size_t n)
{
    if (atomic_fetch_add(&q->bytes, n) + n > atomic_load(&q->bytes_max)) {
        atomic_fetch_sub(&q->bytes, n);
        return false;
    }
    metric_add(q->bytes_metric, (int64_t)n);
    return true;
}

void http_quota_give_bytes(struct http_quota *q, size_t n)
{
    atomic_fetch_sub(&q->bytes, n);
    metric_add(q->bytes_metric, -(int64_t)n);
}
