// SPDX-License-Identifier: Apache-2.0
/* The option table as data, and what types and bounds do not say. */
#include "conf.h"

#define CONF_T users_conf
CONF_DEFINE(USERS_OPTIONS)

const struct err *users_conf_check(struct arena *a, void *conf)
{
    const struct users_conf *c = conf;
    const char *const urls[] = {c->listen, NULL};

    return rpc_tls_check(a, &RPC_TLS_FILES(c), urls);
}
