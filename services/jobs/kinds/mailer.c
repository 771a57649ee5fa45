// SPDX-License-Identifier: Apache-2.0
/* libcurl on a few threads. In the loop: the breaker, and what a send's end means. */
#include "jobs/kinds/mailer.h"

#include "jobs/rules/errors.h"
#include "kit/base/clock.h"
#include "kit/base/mem.h"
#include "kit/obs/metrics.h"

#include <curl/curl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { CONNECT_MS = 5000, SEND_MS = 30000, THREADS = 8 };

static const struct breaker_conf smtp_breaker = {
    .window_ms = 10000,
    .min_calls = 3,
    .failure_ratio = 0.5,
    .slow_ratio = 1.1, /* mail servers may take their time */
    .slow_ms = 2000,   /* how long those behind a probe wait for it */
    .dead_ms = 1000,
    .open_ms = 2000,
    .open_max_ms = 30000,
    .probes = 1,
};

/* A handle keeps its connection for the next mail. */
struct sender {
    atomic_flag taken;
    CURL *easy;
};

struct mailer {
    char *url;
    struct sender senders[THREADS];
    struct flow_pool *threads; /* as many as senders */
    struct breaker breaker;
    atomic_bool up;
    struct metric *state;
};

/* In the heap: its flow may end while a thread has it. */
struct mail_send {
    struct mailer *mailer;
    struct arena arena; /* of what the thread reads */
    const char *from, *to;
    struct str bytes;
    int64_t begun_us;
    atomic_bool cancelled;

    /* of the thread, until it is over */
    size_t sent;
    int code; /* a CURLcode */
    long reply;
};

/* ---- judging --------------------------------------------------------------------- */

/* The server would not talk to us at all, whatever the mail: no login, or bad news in its
 * greeting. */
static bool not_about_the_mail(int code, long reply, bool all_sent)
{
    return code == CURLE_LOGIN_DENIED || code == CURLE_REMOTE_ACCESS_DENIED ||
           reply == 421 || (code == CURLE_WEIRD_SERVER_REPLY && !all_sent);
}

const struct err_code *mail_judge(int code, long reply, bool all_sent)
{
    if (code == CURLE_OK)
        return NULL; /* first of all: a transfer that failed may leave a good reply code
                      */
    if (not_about_the_mail(code, reply, all_sent))
        return &ERR_CODE_SMTP_DOWN;
    if (reply >= 500)
        return &ERR_CODE_SMTP_REFUSED;
    if (reply >= 400 || all_sent)
        return &ERR_CODE_SMTP_DEFERRED;
    return &ERR_CODE_SMTP_DOWN;
}

/* ---- in a thread ----------------------------------------------------------------- */

static size_t give_bytes(char *out, size_t size, size_t count, void *arg)
{
    struct mail_send *s = arg;
    size_t n = s->bytes.n - s->sent;

    if (n > size * count)
        n = size * count;
    memcpy(out, s->bytes.p + s->sent, n);
    s->sent += n;
    return n;
}

/* curl asks at least once a second, also where it waits for a reply; not 0: give up. */
static int given_up(void *arg, curl_off_t dl_all, curl_off_t dl, curl_off_t ul_all,
                    curl_off_t ul)
{
    const struct mail_send *s = arg;

    (void)dl_all, (void)dl, (void)ul_all, (void)ul;
    return atomic_load(&s->cancelled);
}

static CURL *handle_create(const char *url)
{
    const bool demands_tls = strchr(url, '@'); /* a password must not go in the clear */
    CURL *e = curl_easy_init();

    if (!e)
        mem_die("mailer: curl_easy_init failed");
    curl_easy_setopt(e, CURLOPT_URL, url);
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(e, CURLOPT_USE_SSL,
                     demands_tls ? (long)CURLUSESSL_ALL : (long)CURLUSESSL_TRY);
    curl_easy_setopt(e, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(e, CURLOPT_READFUNCTION, give_bytes);
    curl_easy_setopt(e, CURLOPT_XFERINFOFUNCTION, given_up);
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)SEND_MS);
    return e;
}

static struct sender *take_sender(struct mailer *m)
{
    struct sender *it = m->senders;

    while (atomic_flag_test_and_set(&it->taken)) /* a thread each: one is free */
        it++;
    return it;
}

static void send_with(CURL *e, struct mail_send *s)
{
    struct curl_slist *to = curl_slist_append(NULL, s->to);

    if (!to)
        mem_die("mailer: curl is out of memory");
    curl_easy_setopt(e, CURLOPT_MAIL_FROM, s->from);
    curl_easy_setopt(e, CURLOPT_MAIL_RCPT, to);
    curl_easy_setopt(e, CURLOPT_INFILESIZE_LARGE, (curl_off_t)s->bytes.n);
    curl_easy_setopt(e, CURLOPT_READDATA, s);
    curl_easy_setopt(e, CURLOPT_XFERINFODATA, s);
    curl_easy_setopt(e, CURLOPT_NOPROGRESS, 0L);
    s->code = (int)curl_easy_perform(e);
    curl_easy_getinfo(e, CURLINFO_RESPONSE_CODE, &s->reply);
    curl_easy_setopt(e, CURLOPT_NOPROGRESS, 1L); /* s is gone when the handle dies */
    curl_slist_free_all(to);
}

/* Cut short while it waits for the answer to a mail's data, curl keeps the connection:
 * the next mail would take that answer for its own. */
static void renew(struct sender *sender, const char *url)
{
    curl_easy_cleanup(sender->easy);
    sender->easy = handle_create(url);
}

static void work(void *arg)
{
    struct mail_send *s = arg;
    struct sender *sender = take_sender(s->mailer);

    send_with(sender->easy, s);
    if (s->code != CURLE_OK)
        renew(sender, s->mailer->url);
    atomic_flag_clear(&sender->taken);
}

/* ---- in the loop ----------------------------------------------------------------- */

static void tell_state(struct mailer *m)
{
    enum breaker_state state = breaker_state(&m->breaker, clock_mono_us());

    atomic_store(&m->up, state == BREAKER_CLOSED);
    metric_set(m->state, state);
}

static void cancel(void *arg)
{
    struct mail_send *s = arg;

    atomic_store(&s->cancelled, true);
    breaker_forget(&s->mailer->breaker, clock_mono_us());
}

static void drop(void *arg)
{
    struct mail_send *s = arg;

    arena_fini(&s->arena);
    free(s);
}

/* For curl, which wants strings that end. */
static const char *bracketed(struct arena *a, struct str address)
{
    return arena_printf(a, "<%.*s>", STR_FMT(address)).p;
}

static struct mail_send *send_new(struct mailer *m, const struct mail_envelope *mail)
{
    struct mail_send *s = MEM_NEW(struct mail_send);

    arena_init(&s->arena);
    s->mailer = m;
    s->from = bracketed(&s->arena, mail->from);
    s->to = bracketed(&s->arena, mail->to);
    s->bytes = arena_str(&s->arena, mail->bytes);
    s->begun_us = clock_mono_us();
    return s;
}

enum step mail_send(struct flow *f, struct mailer *m, const struct mail_envelope *mail,
                    struct mail_send **out, flow_step next)
{
    static const struct flow_work sending = {work, cancel, drop};

    if (!breaker_allow(&m->breaker, clock_mono_us()))
        return flow_fail(f, mailer_down(&f->arena, m));
    *out = send_new(m, mail);
    return flow_offload(f, m->threads, &sending, *out, next);
}

/* The reply's text may name addresses, so only its code is told. */
static const struct err *describe(struct flow *f, const struct mail_send *s,
                                  const struct err_code *code)
{
    struct err *err;

    if (s->reply >= 400)
        return err_new(&f->arena, code, "The mail server answered %ld", s->reply);
    err = err_new(&f->arena, code, "%s", curl_easy_strerror((CURLcode)s->code));
    err->retry_after_ms = mailer_retry_after_ms(s->mailer);
    return err;
}

const struct err *mail_sent(struct flow *f, const struct mail_send *s)
{
    struct mailer *m = s->mailer;
    const struct err_code *code = mail_judge(s->code, s->reply, s->sent == s->bytes.n);
    int64_t now_us = clock_mono_us();

    breaker_report(&m->breaker, now_us, code == &ERR_CODE_SMTP_DOWN,
                   now_us - s->begun_us);
    tell_state(m);
    return code ? describe(f, s, code) : NULL;
}

bool mailer_up(const struct mailer *m)
{
    return atomic_load(&m->up);
}

int64_t mailer_retry_after_ms(const struct mailer *m)
{
    return breaker_retry_after_ms(&m->breaker, clock_mono_us());
}

const struct err *mailer_down(struct arena *a, const struct mailer *m)
{
    struct err *err = err_new(a, &ERR_CODE_SMTP_DOWN, "The mail server failed lately");

    err->retry_after_ms = mailer_retry_after_ms(m);
    return err;
}

/* ---- life ------------------------------------------------------------------------ */

bool mailer_url_ok(const char *url)
{
    CURLU *u = curl_url();
    char *scheme = NULL;
    bool ok = u && !curl_url_set(u, CURLUPART_URL, url, 0) &&
              !curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) &&
              (strcmp(scheme, "smtp") == 0 || strcmp(scheme, "smtps") == 0);

    curl_free(scheme);
    curl_url_cleanup(u);
    return ok;
}

struct mailer *mailer_create(const struct mailer_conf *conf)
{
    struct mailer *m = MEM_NEW(struct mailer);

    if (curl_global_init(
            CURL_GLOBAL_DEFAULT)) /* now, not with the first mail: it is slow */
        mem_die("mailer: curl_global_init failed");
    m->url = mem_strdup(conf->url);
    for (int i = 0; i < THREADS; i++) {
        atomic_flag_clear(&m->senders[i].taken);
        m->senders[i].easy = handle_create(m->url);
    }
    m->threads = flow_pool_create(THREADS, UINT_MAX); /* the worker bounds the queue */
    breaker_init(&m->breaker, &smtp_breaker, clock_mono_us());
    m->state = metrics_gauge("viaduct_breaker_state", "0 closed, 1 half open, 2 open",
                             "target", "smtp", NULL);
    tell_state(m);
    return m;
}

void mailer_destroy(struct mailer *m)
{
    if (!m)
        return;
    flow_pool_destroy(m->threads);
    for (int i = 0; i < THREADS; i++)
        curl_easy_cleanup(m->senders[i].easy);
    free(m->url);
    free(m);
}
