// SPDX-License-Identifier: Apache-2.0
/* What operations may answer, as the OpenAPI document says it. */
#ifndef GATEWAY_ANSWERS_H
#define GATEWAY_ANSWERS_H

#include "gateway/edge/route.h"
#include "kit/base/buf.h"

/* ,"responses":{...} of an operation; body_max: bytes it takes, if it takes any */
void answers_write(struct buf *b, const struct route *r, size_t body_max);
/* A body may come with it, so there are answers to bad ones. */
bool answers_to_body(const struct route *r);
/* The problems that operations refer to: "name":{...},... of components/responses. */
void answers_write_shared(struct buf *b);

#endif
