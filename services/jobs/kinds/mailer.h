// SPDX-License-Identifier: Apache-2.0
/*
 * Sends mails over SMTP: libcurl on a few threads, as it waits for some replies without
 * giving the thread back; a circuit breaker in front. A send ends with
 *   smtp_down      no connection, a login that fails, 421; the breaker counts these
 *   smtp_deferred  4xx, or a connection that broke after the whole mail was sent (it may
 *                  have been taken: sending again may make a second one of the same
 *                  Message-ID)
 *   smtp_refused   5xx
 * One loop; only what says so may be called from others.
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

struct mailer *mailer_create(const struct mailer_conf *conf);
/* After the flows that send, and before their loop. A send whose flow ended early is
 * given up within two seconds (an unanswered QUIT is one): this waits for it. */
void mailer_destroy(struct mailer *m);
/* Any thread: the breaker is closed. */
bool mailer_up(const struct mailer *m);
/* How long until a send may be tried; 0: now. */
int64_t mailer_retry_after_ms(const struct mailer *m);
/* What a send fails with until then. */
const struct err *mailer_down(struct arena *a, const struct mailer *m);

/* Both addresses are usable (mime.h); bytes is the whole mail. Copied. */
struct mail_envelope {
    struct str from, to, bytes;
};

/* *out belongs to the flow, and is for mail_sent() in `next`: once, how it ended; NULL:
 * delivered. */
struct mail_send;
MUST_CHECK enum step mail_send(struct flow *f, struct mailer *m,
                               const struct mail_envelope *mail, struct mail_send **out,
                               flow_step next);
MUST_CHECK const struct err *mail_sent(struct flow *f, const struct mail_send *s);

/* What the end of a transfer means; NULL: delivered. For its tests. code: a CURLcode,
 * reply: the server's last reply code or 0. */
const struct err_code *mail_judge(int code, long reply, bool all_sent);

#endif
