// SPDX-License-Identifier: Apache-2.0
/* Asking for a report, and looking at jobs. */
#include "jobs/rules/jobs.h"

#include "jobs/rules/payloads.h"
#include "jobs/rules/policy.h"
#include "jobs/store/env.h"
#include "jobs/store/jobs.h"
#include "proto/errors.h"
#include "proto/roles.h"

static bool may_see(const struct flow *f, struct uuid owner)
{
    if (permission_granted(f->caller.roles, PERM_JOBS_READ_ANY))
        return true;
    return !uuid_is_nil(owner) && uuid_eq(owner, f->caller.user);
}

/* ---- a report -------------------------------------------------------------------- */

const struct err *report_period_check(struct arena *a, const struct report_create *in)
{
    static const uint64_t year_us = UINT64_C(366) * 86400 * 1000000;
    struct err *err;

    if (in->to > in->from && (uint64_t)in->to - (uint64_t)in->from <= year_us)
        return NULL;
    err = err_new(a, &ERR_CODE_INVALID_FIELDS,
                  "The period of the report is not acceptable");
    if (in->to <= in->from)
        err_add_field(a, err, STR("/to"), "must be after /from");
    else
        err_add_field(a, err, STR("/to"), "must be at most 366 days after /from");
    return err;
}

static enum step report_queued(struct flow *f)
{
    store_job_insert_read(f, f->state, f->out);
    store_job_queued(f);
    return flow_done(f);
}

enum step report_create(struct flow *f)
{
    const struct report_create *in = f->in;
    const struct err *err = report_period_check(&f->arena, in);
    struct job_new job = {.id = uuid_new(), .kind = JOB_REPORT, .owner = f->caller.user};
    struct idempotency *k;

    if (!permission_granted(f->caller.roles, PERM_REPORTS_CREATE))
        return flow_fail(f, ERR_STATIC(INSUFFICIENT_SCOPE));
    if (err)
        return flow_fail(f, err);
    job.payload = payload_pack(&f->arena, &report_create_msg, in);
    k = f->state = store_job_insert(f, &job);
    return idempotency_await(f, k, report_queued);
}

/* ---- looking --------------------------------------------------------------------- */

static enum step job_found(struct flow *f)
{
    struct uuid owner;

    if (!store_job_get_read(f, f->state, f->out, &owner) || !may_see(f, owner))
        return flow_fail(f, ERR_STATIC(JOB_NOT_FOUND));
    return flow_done(f);
}

enum step job_get(struct flow *f)
{
    const struct by_id *in = f->in;

    f->state = store_job_get(f, in->id);
    return flow_await(f, job_found);
}

struct listing {
    struct pg_query *query;
    struct page page;
};

static enum step jobs_listed(struct flow *f)
{
    struct listing *l = f->state;

    store_job_list_read(f, l->query, &l->page, f->out);
    return flow_done(f);
}

/* Names the list in its cursors: whose, and through which filters. */
static struct str list_name(struct flow *f, const struct job_query *in)
{
    struct str user = uuid_str(&f->arena, f->caller.user);

    return arena_printf(&f->arena, "jobs:-created_at:%.*s:%d:%d", STR_FMT(user),
                        in->has_filter_state ? (int)in->filter_state : -1,
                        in->has_filter_kind ? (int)in->filter_kind : -1);
}

enum step job_list(struct flow *f)
{
    const struct job_query *in = f->in;
    const struct jobs_env *env = f->env;
    struct listing *l = ARENA_NEW(&f->arena, struct listing);
    int64_t limit = in->has_limit ? in->limit : PAGE_LIMIT_DEFAULT;

    if (!page_open(&f->arena, env->cursor_secret, list_name(f, in), true, limit,
                   in->cursor, &l->page))
        return flow_fail(f, ERR_STATIC(BAD_CURSOR));
    l->query =
        store_job_list(f, f->caller.user, in->has_filter_state ? &in->filter_state : NULL,
                       in->has_filter_kind ? &in->filter_kind : NULL, &l->page);
    f->state = l;
    return flow_await(f, jobs_listed);
}

/* ---- a result -------------------------------------------------------------------- */

static enum step part_found(struct flow *f)
{
    struct job_result *out = f->out;
    struct job_part part;
    const struct job_policy *policy;

    if (!store_job_result_read(f->state, &part) || !may_see(f, part.owner))
        return flow_fail(f, ERR_STATIC(JOB_NOT_FOUND));
    policy = job_policy(part.kind);
    if (!policy || !policy->content_type)
        return flow_fail(f, ERR_STATIC(JOB_NO_RESULT));
    if (part.state != JOB_SUCCEEDED)
        return flow_fail(f, ERR_STATIC(JOB_NOT_FINISHED));
    if (!part.there)
        return flow_fail(f, ERR_STATIC(JOB_NO_RESULT));
    WIRE_SET(out, content_type, str_of(policy->content_type));
    WIRE_SET(out, filename, str_of(policy->filename));
    WIRE_SET(out, bytes, part.bytes);
    WIRE_SET(out, more, part.more);
    return flow_done(f);
}

enum step job_result_get(struct flow *f)
{
    const struct job_result_query *in = f->in;

    f->state = store_job_result(f, in->id, in->chunk);
    return flow_await(f, part_found);
}
