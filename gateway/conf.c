// SPDX-License-Identifier: Apache-2.0
/* The table of gateway/conf.h as data. */
#include "gateway/conf.h"

#define CONF_T gateway_conf
CONF_DEFINE(GATEWAY_OPTIONS)
