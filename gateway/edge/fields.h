// SPDX-License-Identifier: Apache-2.0
/* Header fields of an answer as they are collected. */
#ifndef GATEWAY_EDGE_FIELDS_H
#define GATEWAY_EDGE_FIELDS_H

#include "gateway/edge/request.h"

struct edge_conf;

enum { FIELDS_MAX = 24 };

struct fields {
    struct http_reply_header v[FIELDS_MAX];
    size_t n;
};

/* An absent value adds nothing. */
void fields_add(struct fields *f, const char *name, struct str value);
/* What is the same in every answer: kit/http has it ready. */
void fields_of_all(struct fields *f);
/* What every answer has of its request. */
void fields_common(struct fields *f, struct request *rq);
/* What a good answer has by its route. `reply` is msgpack, maybe absent. */
void fields_of_route(struct fields *f, struct request *rq, struct str reply);
/* What an error has by its kind. */
void fields_of_error(struct fields *f, struct request *rq, const struct err *e);

/* A value at the top level of a msgpack map; false when it is not there. */
bool fields_peek(struct str reply, const char *name, struct mp_value *out);

#endif
