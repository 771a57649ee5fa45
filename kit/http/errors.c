// SPDX-License-Identifier: Apache-2.0
/* The table of kit/http/errors.h as data. */
#include "kit/http/errors.h"

HTTP_ERRORS(ERR_DEFINE)
