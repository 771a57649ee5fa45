// SPDX-License-Identifier: Apache-2.0
/* libcurl on the loop: sockets, one timer, transfers that are over. */
#include "jobs/kinds/mailer.h"

#include "jobs/rules/errors.h"
#include "kit/base/clock.h"
#include "kit/base/mem.h"
#include "kit/obs/metrics.h"

#include <curl/curl.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { CONNECT_MS = 5000, SEND_MS = 30000, CONNECTIONS_MAX = 8 };

static const struct breaker_conf smtp_breaker = {
    .window_ms = 10000,
    .min_calls = 3,
    .failure_ratio = 0.5,
    .slow_ratio = 1.1, /* mail servers may take their time */
    .slow_ms = 2000,   /* how long those behind a probe wait for it */
    .open_ms = 2000,
    .open_max_ms = 30000,
    .probes = 1,
};

struct mailer {
    struct loop *loop;
    char *url;
    bool demands_tls; /* a password must not go in the clear */
    CURLM *multi;
    struct loop_timer timer;
    struct list sends;
    struct breaker breaker;
    atomic_bool up;
    struct metric *state;
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

/* ---- sockets and the timer ------------------------------------------------------- */

static void collect(struct mailer *m);

static void act(struct mailer *m, curl_socket_t fd, int what)
{
    int running;

    curl_multi_socket_action(m->multi, fd, what, &running);
    collect(m);
}

struct socket_watch {
    struct mailer *mailer;
    struct loop_fd *fd;
    curl_socket_t number;
};

static void socket_ready(void *arg, int ready)
{
    const struct socket_watch *w = arg;
    int what = (ready & LOOP_READ ? CURL_CSELECT_IN : 0) |
               (ready & LOOP_WRITE ? CURL_CSELECT_OUT : 0);

    act(w->mailer, w->number, what);
}

static struct socket_watch *watch(struct mailer *m, curl_socket_t fd)
{
    struct socket_watch *w = MEM_NEW(struct socket_watch);

    w->mailer = m;
    w->number = fd;
    w->fd = loop_fd_create(m->loop, fd, socket_ready, w);
    curl_multi_assign(m->multi, fd, w);
    return w;
}

static void unwatch(struct mailer *m, curl_socket_t fd, struct socket_watch *w)
{
    if (!w)
        return;
    curl_multi_assign(m->multi, fd, NULL);
    loop_fd_destroy(w->fd);
    loop_free_later(m->loop, free, w); /* we may be in its callback */
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *assigned)
{
    struct mailer *m = arg;
    struct socket_watch *w = assigned;
    int wanted =
        (what & CURL_POLL_IN ? LOOP_READ : 0) | (what & CURL_POLL_OUT ? LOOP_WRITE : 0);

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        unwatch(m, fd, w);
        return 0;
    }
    loop_fd_want((w ? w : watch(m, fd))->fd, wanted);
    return 0;
}

static int on_timer(CURLM *multi, long ms, void *arg)
{
    struct mailer *m = arg;

    (void)multi;
    if (ms < 0)
        loop_timer_clear(&m->timer);
    else
        loop_timer_set(&m->timer, ms);
    return 0;
}

static void timer_fired(struct loop_timer *t)
{
    act(CONTAINER_OF(t, struct mailer, timer), CURL_SOCKET_TIMEOUT, 0);
}

/* ---- the end of a send ----------------------------------------------------------- */

static void tell_state(struct mailer *m)
{
    enum breaker_state state = breaker_state(&m->breaker, clock_mono_us());

    atomic_store(&m->up, state == BREAKER_CLOSED);
    metric_set(m->state, state);
}

static void release(struct mail_send *s)
{
    list_remove(&s->link);
    curl_multi_remove_handle(s->mailer->multi, s->easy);
    curl_easy_cleanup(s->easy);
    curl_slist_free_all(s->to_list);
}

static void cancel(struct wait *w)
{
    struct mail_send *s = CONTAINER_OF(w, struct mail_send, wait);
    struct mailer *m = s->mailer;

    release(s);
    breaker_forget(&m->breaker, clock_mono_us());
}

/* The reply's text may name addresses, so only its code is told. */
static const struct err *describe(struct mail_send *s, const struct err_code *code,
                                  int curl_code, long reply)
{
    struct arena *a = &s->wait.flow->arena;
    struct err *err;

    if (reply >= 400)
        return err_new(a, code, "The mail server answered %ld", reply);
    err = err_new(a, code, "%s", curl_easy_strerror((CURLcode)curl_code));
    err->retry_after_ms = mailer_retry_after_ms(s->mailer);
    return err;
}

static void over(struct mail_send *s, int curl_code)
{
    struct mailer *m = s->mailer;
    const struct err_code *code;
    int64_t now_us = clock_mono_us();
    long reply = 0;

    curl_easy_getinfo(s->easy, CURLINFO_RESPONSE_CODE, &reply);
    code = mail_judge(curl_code, reply, s->sent == s->bytes.n);
    release(s);
    breaker_report(&m->breaker, now_us, code == &ERR_CODE_SMTP_DOWN,
                   now_us - s->begun_us);
    tell_state(m);
    wait_end(&s->wait, code ? describe(s, code, curl_code, reply) : NULL);
}

static void collect(struct mailer *m)
{
    CURLMsg *msg;
    int left;

    while ((msg = curl_multi_info_read(m->multi, &left))) {
        struct mail_send *s = NULL;
        int code = (int)msg->data.result; /* msg dies with the handle */

        curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&s);
        over(s, code);
    }
}

/* ---- starting -------------------------------------------------------------------- */

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

/* Zeroed copies for curl, which wants strings that end. */
static const char *bracketed(struct arena *a, struct str address)
{
    return arena_printf(a, "<%.*s>", STR_FMT(address)).p;
}

static void set_up_transfer(struct mail_send *s, const char *from)
{
    CURL *e = s->easy;
    const struct mailer *m = s->mailer;

    curl_easy_setopt(e, CURLOPT_URL, m->url);
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(e, CURLOPT_USE_SSL,
                     m->demands_tls ? (long)CURLUSESSL_ALL : (long)CURLUSESSL_TRY);
    curl_easy_setopt(e, CURLOPT_MAIL_FROM, from);
    curl_easy_setopt(e, CURLOPT_MAIL_RCPT, s->to_list);
    curl_easy_setopt(e, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(e, CURLOPT_INFILESIZE_LARGE, (curl_off_t)s->bytes.n);
    curl_easy_setopt(e, CURLOPT_READFUNCTION, give_bytes);
    curl_easy_setopt(e, CURLOPT_READDATA, s);
    curl_easy_setopt(e, CURLOPT_PRIVATE, s);
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)SEND_MS);
}

static void fail_now(struct flow *f, struct mail_send *s)
{
    struct err *err =
        err_new(&f->arena, &ERR_CODE_SMTP_DOWN, "The mail server failed lately");

    err->retry_after_ms = mailer_retry_after_ms(s->mailer);
    wait_end(&s->wait, err);
}

static void no_transfer(struct wait *w)
{
    (void)w;
}

void mail_send_start(struct flow *f, struct mail_send *s, struct mailer *m,
                     struct str from, struct str to, struct str bytes)
{
    s->mailer = m;
    s->bytes = bytes;
    s->begun_us = clock_mono_us();
    list_init(&s->link);
    if (!breaker_allow(&m->breaker, s->begun_us)) {
        wait_begin(f, &s->wait, no_transfer, true);
        fail_now(f, s);
        return;
    }
    wait_begin(f, &s->wait, cancel, true);
    list_push(&m->sends, &s->link);
    s->to_list = curl_slist_append(NULL, bracketed(&f->arena, to));
    s->easy = curl_easy_init();
    if (!s->easy || !s->to_list)
        mem_die("mailer: curl is out of memory");
    set_up_transfer(s, bracketed(&f->arena, from));
    curl_multi_add_handle(m->multi, s->easy); /* begins with the timer, in a later turn */
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

struct mailer *mailer_create(struct loop *l, const struct mailer_conf *conf)
{
    struct mailer *m = MEM_NEW(struct mailer);

    if (curl_global_init(
            CURL_GLOBAL_DEFAULT)) /* now, not with the first mail: it is slow */
        mem_die("mailer: curl_global_init failed");
    m->loop = l;
    m->url = mem_strdup(conf->url);
    m->demands_tls = strchr(conf->url, '@') != NULL;
    m->multi = curl_multi_init();
    if (!m->multi)
        mem_die("mailer: curl_multi_init failed");
    curl_multi_setopt(m->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(m->multi, CURLMOPT_SOCKETDATA, m);
    curl_multi_setopt(m->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(m->multi, CURLMOPT_TIMERDATA, m);
    curl_multi_setopt(m->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)CONNECTIONS_MAX);
    loop_timer_init(&m->timer, l, timer_fired);
    list_init(&m->sends);
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
    while (!list_empty(&m->sends)) {
        struct mail_send *s = CONTAINER_OF(m->sends.next, struct mail_send, link);

        release(s);
        wait_end(&s->wait, ERR_STATIC(CANCELLED));
    }
    curl_multi_cleanup(m->multi);
    loop_timer_clear(&m->timer);
    free(m->url);
    free(m);
}

bool mailer_up(const struct mailer *m)
{
    return atomic_load(&m->up);
}

int64_t mailer_retry_after_ms(const struct mailer *m)
{
    return breaker_retry_after_ms(&m->breaker, clock_mono_us());
}
