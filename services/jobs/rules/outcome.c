// SPDX-License-Identifier: Apache-2.0
/* Failures sorted into classes, and what each class means. */
#include "jobs/rules/outcome.h"

#include "jobs/rules/errors.h"
#include "kit/guard/backoff.h"

enum { PARK_MS = 2000, PARK_MAX_MS = 60000, DETAIL_MAX = 500 };

/* Codes that say more than their kind does. */
static const struct {
    const struct err_code *code;
    enum failure_class class;
} by_code[] = {
    {&ERR_CODE_JOB_BAD_PAYLOAD, FAILURE_PERMANENT},
    {&ERR_CODE_SMTP_DEFERRED, FAILURE_TRANSIENT},
};

static const enum failure_class by_kind[ERR_KIND_COUNT] = {
    [ERR_UNAVAILABLE] = FAILURE_DEPENDENCY,    [ERR_SHED] = FAILURE_DEPENDENCY,
    [ERR_LIMITED] = FAILURE_DEPENDENCY,        [ERR_DEADLINE] = FAILURE_TRANSIENT,
    [ERR_REQUEST_TIMEOUT] = FAILURE_TRANSIENT, [ERR_UNKNOWN_OUTCOME] = FAILURE_TRANSIENT,
    [ERR_INTERNAL] = FAILURE_TRANSIENT,        [ERR_CANCELLED] = FAILURE_TRANSIENT,
};

enum failure_class failure_class(const struct err *err)
{
    for (size_t i = 0; i < sizeof by_code / sizeof *by_code; i++)
        if (by_code[i].code == err->code)
            return by_code[i].class;
    return by_kind[err->code->kind]; /* kinds that are not named there are permanent */
}

const char *failure_class_name(enum failure_class c)
{
    static const char *const names[] = {"permanent", "transient", "dependency"};

    return names[c];
}

static struct str detail_of(const struct err *err)
{
    struct str detail = err->detail.p ? err->detail : str_of(err->code->title);

    if (detail.n > DETAIL_MAX)
        detail.n = DETAIL_MAX;
    while (!str_is_utf8(detail) && detail.n)
        detail.n--; /* not in the middle of a character */
    return detail;
}

static int64_t park_ms(const struct err *err)
{
    int64_t pause = backoff_ms(PARK_MS, PARK_MAX_MS, 0);
    int64_t asked = err->retry_after_ms < PARK_MAX_MS ? err->retry_after_ms : PARK_MAX_MS;

    return asked + pause;
}

static int64_t retry_ms(const struct job_policy *policy, int64_t attempts)
{
    unsigned before = attempts > 1 ? (unsigned)(attempts > 31 ? 30 : attempts - 1) : 0;

    return backoff_ms(policy->backoff_ms, policy->cap_ms, before);
}

struct job_settlement job_failed(const struct job_policy *policy, int64_t attempts,
                                 const struct err *err)
{
    enum failure_class class = failure_class(err);
    struct job_settlement s = {
        .state = JOB_QUEUED,
        .code = str_of(err->code->name),
        .detail = detail_of(err),
    };

    if (class == FAILURE_DEPENDENCY) {
        s.free = true;
        s.delay_ms = park_ms(err);
    } else if (class == FAILURE_PERMANENT || attempts >= policy->attempts_max) {
        s.state = JOB_DEAD;
    } else {
        s.delay_ms = retry_ms(policy, attempts);
    }
    return s;
}

struct job_settlement job_released(void)
{
    return (struct job_settlement){.state = JOB_QUEUED, .free = true};
}
