// SPDX-License-Identifier: Apache-2.0
/* The table of options.h. */
#include "options.h"

#define CONF_T sample
CONF_DEFINE(SAMPLE_OPTIONS)
