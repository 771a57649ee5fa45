// SPDX-License-Identifier: Apache-2.0
/* The kind `email`: who and what about, over the hop; the mail; SMTP. */
#include "jobs/kinds/kind.h"
#include "jobs/kinds/mailer.h"
#include "jobs/kinds/mails.h"
#include "jobs/rules/errors.h"
#include "jobs/store/env.h"
#include "kit/base/clock.h"
#include "kit/rpc/client.h"

struct email {
    struct email_payload what;
    struct by_id user_id, order_id;
    struct user user;
    struct order order;
    struct rpc_call user_call, order_call;
    struct mail_send *send;
};

static enum step email_sent(struct flow *f)
{
    const struct email *e = f->state;
    const struct err *err = mail_sent(f, e->send);

    return err ? flow_fail(f, err) : flow_done(f);
}

/* The mail as bytes in the arena; absent when it cannot be put together. */
static struct str write_mail(struct flow *f, const struct mail *mail)
{
    struct buf b;
    struct str bytes = {0};

    buf_init(&b, MAIL_MAX_BYTES);
    mail_write(&b, mail);
    if (!b.failed)
        bytes = arena_str(&f->arena, buf_view(&b));
    buf_fini(&b);
    return bytes;
}

static enum step email_known(struct flow *f)
{
    const struct jobs_env *env = f->env;
    const struct job_task *task = f->in;
    struct email *e = f->state;
    struct mail mail = {.id = task->id, .date_us = clock_wall_us()};
    struct mail_envelope envelope;

    mail.to = (struct mail_address){e->user.name, e->user.email};
    if (!mail_address_usable(mail.to.address) ||
        !mail_address_parse(env->mail_from, &mail.from))
        return flow_fail(f, ERR_STATIC(SMTP_REFUSED));
    mail_compose(&f->arena, e->what.template, &e->user,
                 e->what.has_order_id ? &e->order : NULL, &mail);
    envelope =
        (struct mail_envelope){mail.from.address, mail.to.address, write_mail(f, &mail)};
    if (!envelope.bytes.p)
        return flow_fail_code(f, &ERR_CODE_SMTP_REFUSED, "The mail is too large");
    return mail_send(f, env->mailer, &envelope, &e->send, email_sent);
}

enum step email_work(struct flow *f)
{
    const struct jobs_env *env = f->env;
    const struct job_task *task = f->in;
    struct email *e = ARENA_NEW(&f->arena, struct email);

    f->state = e;
    if (wire_from_msgpack(&f->arena, &email_payload_msg, task->payload, &e->what))
        return flow_fail(f, ERR_STATIC(JOB_BAD_PAYLOAD));
    if (mailer_retry_after_ms(env->mailer) > 0) /* no use in asking for an address now */
        return flow_fail(f, mailer_down(&f->arena, env->mailer));
    WIRE_SET(&e->user_id, id, e->what.user_id);
    rpc_start(f, &e->user_call, env->rpc, &USERS_GET, &e->user_id, &e->user, true);
    if (e->what.has_order_id) {
        WIRE_SET(&e->order_id, id, e->what.order_id);
        rpc_start(f, &e->order_call, env->rpc, &ORDERS_GET, &e->order_id, &e->order,
                  true);
    }
    return flow_await(f, email_known);
}
