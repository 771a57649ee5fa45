// SPDX-License-Identifier: Apache-2.0
/* What a request can be refused for before any handler sees it, beyond the kit's own
 * codes. */
#ifndef KIT_HTTP_ERRORS_H
#define KIT_HTTP_ERRORS_H

#include "kit/base/err.h"

#define HTTP_ERRORS(E)                                                    \
    E(TARGET_TOO_LONG, "request.target_too_long", URI_TOO_LONG,           \
      "The request target is too long")                                   \
    E(HEAD_TOO_LARGE, "request.head_too_large", HEADERS_TOO_LARGE,        \
      "The header fields are too large")                                  \
    E(METHOD_UNKNOWN, "request.method_unknown", NOT_IMPLEMENTED,          \
      "This method is not known here")                                    \
    E(CODING_UNKNOWN, "request.transfer_coding_unknown", NOT_IMPLEMENTED, \
      "This transfer coding is not known here")                           \
    E(HTTP_VERSION, "request.http_version", VERSION_NOT_SUPPORTED,        \
      "Only HTTP/1.1 and HTTP/1.0 are spoken here")                       \
    E(REQUEST_TIMEOUT, "request.timeout", REQUEST_TIMEOUT,                \
      "The request took too long to arrive")

HTTP_ERRORS(ERR_DECLARE)

#endif
