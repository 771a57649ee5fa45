// SPDX-License-Identifier: Apache-2.0
/*
 * The identity of the process on the hop, shared by all its dialers and listeners, and
 * the thread that renews it.
 *
 * NNG reads a dialer's configuration without a lock when it begins a connection, so one
 * that was replaced is kept until the next replacement: nobody still reads it by then.
 */
#include "kit/rpc/tls.h"

#include "kit/base/clock.h"
#include "kit/base/log.h"
#include "kit/base/mem.h"
#include "kit/conf/conf.h"
#include "kit/obs/metrics.h"

#include <nng/nng.h>
#include <nng/supplemental/tls/tls.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>

/* What NNG needs in one role: a listener's, or a caller's of one server name. */
struct rpc_tls_identity {
    struct list link, users;
    char *server_name; /* NULL: a listener's */
    nng_tls_config *now, *before;
};

/* Tells whether files have changed; also when a link along their path has. */
struct look {
    struct timespec modified[3];
    ino_t inode[3];
    off_t size[3];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t stopping = PTHREAD_COND_INITIALIZER;
static struct list identities = {&identities, &identities};
static struct rpc_tls_files files;
static struct rpc_tls_pem pem; /* cert NULL: off */
static struct look looked;     /* the thread's */
static pthread_t thread;
static bool stop;

/* ---- NNG's configurations; under the lock -------------------------------------------
 */

static int fill(nng_tls_config *c, const char *server_name)
{
    int rv = nng_tls_config_version(c, NNG_TLS_1_2, NNG_TLS_1_3);

    if (rv == 0)
        rv = nng_tls_config_auth_mode(c, NNG_TLS_AUTH_MODE_REQUIRED);
    if (rv == 0)
        rv = nng_tls_config_ca_chain(c, pem.ca, NULL);
    if (rv == 0)
        rv = nng_tls_config_own_cert(c, pem.cert, pem.key, NULL);
    if (rv == 0 && server_name)
        rv = nng_tls_config_server_name(c, server_name);
    return rv;
}

/* NULL: *why. */
static nng_tls_config *make_config(const char *server_name, const char **why)
{
    nng_tls_config *c = NULL;
    int rv =
        nng_tls_config_alloc(&c, server_name ? NNG_TLS_MODE_CLIENT : NNG_TLS_MODE_SERVER);

    if (rv == 0)
        rv = fill(c, server_name);
    if (rv == 0)
        return c;
    *why = nng_strerror(rv);
    if (c)
        nng_tls_config_free(c);
    return NULL;
}

static struct rpc_tls_identity *find(const char *server_name)
{
    LIST_EACH (it, &identities) {
        struct rpc_tls_identity *i = CONTAINER_OF(it, struct rpc_tls_identity, link);

        if (server_name ? i->server_name && strcmp(i->server_name, server_name) == 0
                        : !i->server_name)
            return i;
    }
    return NULL;
}

static struct rpc_tls_identity *find_or_make(const char *server_name, const char **why)
{
    struct rpc_tls_identity *i = find(server_name);
    nng_tls_config *c = i ? NULL : make_config(server_name, why);

    if (!c)
        return i;
    i = MEM_NEW(struct rpc_tls_identity);
    i->server_name = server_name ? mem_strdup(server_name) : NULL;
    i->now = c;
    list_init(&i->users);
    list_init(&i->link);
    list_push(&identities, &i->link);
    return i;
}

static void free_config(nng_tls_config *c)
{
    if (c)
        nng_tls_config_free(c);
}

static void identity_free(struct rpc_tls_identity *i)
{
    free_config(i->now);
    free_config(i->before);
    free(i->server_name);
    free(i);
}

/* ---- users ------------------------------------------------------------------ */

bool rpc_tls_is(const char *url)
{
    return str_starts(str_of(url), STR("tls+tcp://"));
}

const char *rpc_tls_off(void)
{
    return pem.cert ? NULL : "VIADUCT_HOP_TLS_CERT, _KEY and _CA are not set";
}

const char *rpc_tls_join(struct rpc_tls_user *u, const char *server_name)
{
    const char *why = rpc_tls_off();

    if (why)
        return why;
    pthread_mutex_lock(&lock);
    u->identity = find_or_make(server_name, &why);
    if (u->identity && !u->take(u, u->identity->now))
        why = "its TLS configuration is refused";
    list_init(&u->link);
    if (!why)
        list_push(&u->identity->users, &u->link);
    pthread_mutex_unlock(&lock);
    return why;
}

void rpc_tls_leave(struct rpc_tls_user *u)
{
    if (!u->identity)
        return;
    pthread_mutex_lock(&lock);
    list_remove(&u->link);
    pthread_mutex_unlock(&lock);
    u->identity = NULL;
}

/* ---- renewing: in the thread ------------------------------------------------ */

static void look(struct look *l)
{
    const char *paths[] = {files.cert, files.key, files.ca};
    struct stat st;

    memset(l, 0, sizeof *l);
    for (int i = 0; i < 3; i++) {
        if (stat(paths[i], &st) != 0)
            continue;
        l->modified[i] = st.st_mtim;
        l->inode[i] = st.st_ino;
        l->size[i] = st.st_size;
    }
}

static void renew_identity(struct rpc_tls_identity *i)
{
    const char *why = NULL;
    nng_tls_config *c = make_config(i->server_name, &why);

    if (!c) {
        LOG_ERROR(NULL, "rpc.tls_not_renewed", KV("why", why));
        return;
    }
    free_config(i->before);
    i->before = i->now;
    i->now = c;
    LIST_EACH (it, &i->users) {
        struct rpc_tls_user *u = CONTAINER_OF(it, struct rpc_tls_user, link);

        if (!u->take(u, c))
            LOG_ERROR(NULL, "rpc.tls_not_renewed", KV("why", "NNG refuses it"));
    }
}

static void count_renewal(const char *outcome)
{
    metric_add(metrics_counter("viaduct_hop_tls_renewals_total",
                               "Times the files of the hop's TLS had changed", "outcome",
                               outcome, NULL),
               1);
}

static void show_expiry(void)
{
    metric_set(metrics_gauge("viaduct_hop_tls_expires_timestamp_seconds",
                             "When the certificate of this process on the hop ends",
                             NULL),
               pem.expires_s);
}

static void renew(const struct rpc_tls_pem *fresh)
{
    rpc_tls_pem_fini(&pem);
    pem = *fresh;
    show_expiry();
    LIST_EACH (it, &identities)
        renew_identity(CONTAINER_OF(it, struct rpc_tls_identity, link));
    LOG_INFO(NULL, "rpc.tls_renewed", KV("expires_s", pem.expires_s));
    count_renewal("ok");
}

/* Without the lock while it reads. */
static void look_again(void)
{
    const struct err *err;
    struct rpc_tls_pem fresh;
    struct arena a;
    struct look l;

    look(&l);
    if (memcmp(&l, &looked, sizeof l) == 0)
        return;
    looked = l;
    arena_init(&a);
    err = rpc_tls_read(&a, &files, &fresh);
    if (err) {
        LOG_ERROR(NULL, "rpc.tls_kept", KV("why", err->detail));
        count_renewal("failed");
    } else {
        pthread_mutex_lock(&lock);
        renew(&fresh);
        pthread_mutex_unlock(&lock);
    }
    arena_fini(&a);
}

static bool wait_to_look(void)
{
    struct timespec at;
    bool stopped;

    clock_gettime(CLOCK_REALTIME, &at);
    at.tv_sec += RPC_TLS_LOOK_MS / 1000;
    pthread_mutex_lock(&lock);
    if (!stop)
        pthread_cond_timedwait(&stopping, &lock, &at);
    stopped = stop;
    pthread_mutex_unlock(&lock);
    return !stopped;
}

static void *run(void *arg)
{
    (void)arg;
    while (wait_to_look())
        look_again();
    return NULL;
}

/* ---- refused peers ---------------------------------------------------------- */

/* NNG tells of a failed handshake nowhere else. A peer must not be able to fill the log:
 * one line a second. */
static void on_nng_log(nng_log_level level, nng_log_facility facility, const char *id,
                       const char *text)
{
    static _Atomic int64_t next_us;
    int64_t now_us = clock_mono_us(), due_us = next_us;

    (void)level;
    (void)facility;
    if (!id || strcmp(id, "NNG-TLS-HANDSHAKE") != 0)
        return;
    metric_add(metrics_counter("viaduct_hop_tls_refused_total",
                               "TLS handshakes of the hop that failed, of either side",
                               NULL),
               1);
    if (now_us >= due_us &&
        atomic_compare_exchange_strong(&next_us, &due_us, now_us + 1000000))
        LOG_WARN(NULL, "rpc.tls_refused", KV("why", text));
}

static void listen_to_nng(void)
{
    nng_log_set_level(NNG_LOG_WARN);
    nng_log_set_logger(on_nng_log);
}

/* ---- life ------------------------------------------------------------------- */

static bool wanted(const struct rpc_tls_files *f)
{
    return *f->cert || *f->key || *f->ca;
}

static const char *first_tls(const char *const urls[])
{
    for (; *urls; urls++)
        if (strstr(*urls, "tls+tcp://"))
            return *urls;
    return NULL;
}

const struct err *rpc_tls_check(struct arena *a, const struct rpc_tls_files *f,
                                const char *const urls[])
{
    const char *url = first_tls(urls);
    struct rpc_tls_pem read;
    const struct err *err;

    if (!wanted(f) && !url)
        return NULL;
    if (!wanted(f))
        return err_new(a, &ERR_CODE_BAD_SETTING,
                       "%.200s needs VIADUCT_HOP_TLS_CERT, VIADUCT_HOP_TLS_KEY and "
                       "VIADUCT_HOP_TLS_CA",
                       url);
    err = rpc_tls_read(a, f, &read);
    if (!err)
        rpc_tls_pem_fini(&read);
    return err;
}

/* The first look is before the first reading: what changes between is seen. */
const struct err *rpc_tls_start(struct arena *a, const struct rpc_tls_files *f)
{
    const struct err *err;

    if (!wanted(f))
        return NULL;
    files = *f;
    look(&looked);
    err = rpc_tls_read(a, &files, &pem);
    if (err)
        return err;
    show_expiry();
    listen_to_nng();
    stop = false;
    if (pthread_create(&thread, NULL, run, NULL) != 0)
        mem_die("rpc: no thread for certificates");
    return NULL;
}

void rpc_tls_stop(void)
{
    struct list *it;

    if (!pem.cert)
        return;
    pthread_mutex_lock(&lock);
    stop = true;
    pthread_cond_signal(&stopping);
    pthread_mutex_unlock(&lock);
    pthread_join(thread, NULL);
    while ((it = list_pop(&identities)))
        identity_free(CONTAINER_OF(it, struct rpc_tls_identity, link));
    rpc_tls_pem_fini(&pem);
}
