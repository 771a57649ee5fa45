// SPDX-License-Identifier: Apache-2.0
/*
 * Answers: bodies, status, and every header field of section 8 of the conventions. ETags
 * are "VERSION-HASH" when what is answered has a version, else "HASH" of the body.
 */
#ifndef GATEWAY_EDGE_RESPOND_H
#define GATEWAY_EDGE_RESPOND_H

#include "gateway/edge/request.h"

/* NULL, or request.not_acceptable when Accept leaves out what the route sends. */
MUST_CHECK const struct err *respond_acceptable(const struct request *rq);

/* Sends the answer that the request carries, or the problem. Nothing when it streams. */
void respond(struct request *rq, const struct err *e);

/* Starts a stream with the fields that every answer has. */
void respond_stream(struct request *rq, const char *content_type, struct str disposition);

/* A strong ETag of bytes; the same in every process. `version` 0: none. */
struct str respond_etag(struct arena *a, int64_t version, struct str body);

#endif
