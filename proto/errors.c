// SPDX-License-Identifier: Apache-2.0
/* The error table as data, with the index the hop's client looks codes up in. */
#include "proto/errors.h"

PROTO_ERRORS(ERR_DEFINE)

const struct err_code *const ERR_CODES[] = {
#define ERR_POINTER(symbol, name, kind, title) &ERR_CODE_##symbol,
    KIT_ERRORS(ERR_POINTER) PROTO_ERRORS(ERR_POINTER)
#undef ERR_POINTER
        NULL,
};
