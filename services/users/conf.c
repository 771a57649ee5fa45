// SPDX-License-Identifier: Apache-2.0
/* The option table as data. */
#include "conf.h"

#define CONF_T users_conf
CONF_DEFINE(USERS_OPTIONS)
