// SPDX-License-Identifier: Apache-2.0
/* The option table as data, and what types and bounds do not say. */
#include "conf.h"

#define CONF_T orders_conf
CONF_DEFINE(ORDERS_OPTIONS)

const struct err *orders_conf_check(struct arena *a, void *conf)
{
    const struct orders_conf *c = conf;
    const char *const urls[] = {c->listen, NULL};

    return rpc_tls_check(a, &RPC_TLS_FILES(c), urls);
}
