// SPDX-License-Identifier: Apache-2.0
/*
 * Sends mails over SMTP: libcurl's multi interface on our loop, a circuit breaker in
 * front. A send is a wait of a flow. It ends with smtp_down      no connection, a login
 * that fails, 421; the breaker counts these smtp_deferred  4xx, or a connection that
 * broke after the whole mail was sent (it may have been taken: sending again may make a
 * second one of the same Message-ID) smtp_refused   5xx
 */
#ifndef JOBS_KINDS_MAILER_H
#define JOBS_KINDS_MAILER_H

#include "kit/flow/flow.h"
#include "kit/guard/breaker.h"

struct mailer;

struct mailer_conf {
    const char *url; /* smtp://host:port or smtps://, with user:password@ where needed */
};

/* false: curl cannot use the URL. */
bool mailer_url_ok(const char *url);

struct mailer *mailer_create(struct loop *l, const struct mailer_conf *conf);
/* Open sends end with request.cancelled. */
void mailer_destroy(struct mailer *m);
/* Any thread: the breaker is closed. */
bool mailer_up(const struct mailer *m);
/* How long until a send may be tried; 0: now. */
int64_t mailer_retry_after_ms(const struct mailer *m);

/* Lives in the flow's arena, zeroed. */
struct mail_send {
    struct wait wait;

    /* private */
    struct mailer *mailer;
    struct list link;
    void *easy;    /* CURL */
    void *to_list; /* curl_slist */
    struct str bytes;
    size_t sent;
    int64_t begun_us;
};
/* Both addresses are usable (mime.h); bytes is the whole mail and lives as long as the
 * flow. */
void mail_send_start(struct flow *f, struct mail_send *s, struct mailer *m,
                     struct str from, struct str to, struct str bytes);

/* What the end of a transfer means; NULL: delivered. For its tests. code: a CURLcode,
 * reply: the server's last reply code or 0. */
const struct err_code *mail_judge(int code, long reply, bool all_sent);

#endif
