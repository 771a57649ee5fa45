// SPDX-License-Identifier: Apache-2.0
/* The option table as data, and what a setting means for another. */
#include "conf.h"

#include "jobs/kinds/mailer.h"
#include "jobs/kinds/mime.h"
#include "jobs/rules/lease.h"
#include "kit/cursor/cursor.h"

#define CONF_T jobs_conf
CONF_DEFINE(JOBS_OPTIONS)

bool jobs_has_api(const struct jobs_conf *c)
{
    return strcmp(c->role, "worker") != 0;
}

bool jobs_has_worker(const struct jobs_conf *c)
{
    return strcmp(c->role, "api") != 0;
}

static bool role_known(const struct jobs_conf *c)
{
    return strcmp(c->role, "api") == 0 || strcmp(c->role, "worker") == 0 ||
           strcmp(c->role, "both") == 0;
}

static const struct err *check_worker(struct arena *a, const struct jobs_conf *c)
{
    struct mail_address from;

    if (!lease_fits_heartbeat(c->lease_ms, c->heartbeat_ms))
        return err_new(a, &ERR_CODE_BAD_SETTING,
                       "VIADUCT_JOBS_HEARTBEAT_MS must be at most 2/5 of "
                       "VIADUCT_JOBS_LEASE_MS, so that one heartbeat may get lost");
    if (!mailer_url_ok(c->smtp))
        return err_new(a, &ERR_CODE_BAD_SETTING,
                       "VIADUCT_SMTP must be smtp://host:port or smtps://host:port");
    if (!mail_address_parse(str_of(c->mail_from), &from))
        return err_new(a, &ERR_CODE_BAD_SETTING,
                       "VIADUCT_MAIL_FROM must be an address, or Name <address>");
    return NULL;
}

static const struct err *check_hop(struct arena *a, const struct jobs_conf *c)
{
    const bool api = jobs_has_api(c), worker = jobs_has_worker(c);
    const char *const urls[] = {api ? c->listen : "", worker ? c->users : "",
                                worker ? c->orders : "", NULL};

    return rpc_tls_check(a, &RPC_TLS_FILES(c), urls);
}

const struct err *jobs_conf_check(struct arena *a, void *conf)
{
    const struct jobs_conf *c = conf;
    const struct err *err;

    if (!role_known(c))
        return err_new(a, &ERR_CODE_BAD_SETTING,
                       "VIADUCT_JOBS_ROLE must be api, worker or both, not '%s'",
                       c->role);
    if (jobs_has_api(c) && strlen(c->cursor_key) < CURSOR_SECRET_MIN)
        return err_new(a, &ERR_CODE_BAD_SETTING,
                       "VIADUCT_CURSOR_KEY must have at least %d bytes",
                       (int)CURSOR_SECRET_MIN);
    err = check_hop(a, c);
    return err || !jobs_has_worker(c) ? err : check_worker(a, c);
}
