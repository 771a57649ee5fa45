// SPDX-License-Identifier: Apache-2.0
/* First steps of the routes that are more than one call. Each flow is one file. */
#ifndef GATEWAY_FLOWS_FLOWS_H
#define GATEWAY_FLOWS_FLOWS_H

#include "kit/flow/flow.h"
#include "kit/wire/wire.h"

/* POST /v1/orders: is the caller's account active? Then orders.create. */
enum step place_order(struct flow *f);
/* GET /v1/users/{id}/overview: user, orders and jobs side by side; with what there is
 * when a service is down. */
enum step overview(struct flow *f);
/* GET /v1/jobs/{id}/result: the chunks of a result as one stream. */
enum step job_result(struct flow *f);
/* GET /v1/exports/orders: a stream of the orders service, passed on. */
enum step export_orders(struct flow *f);
/* GET /openapi.json, GET /.well-known/jwks.json */
enum step serve_openapi(struct flow *f);
enum step serve_jwks(struct flow *f);
/* GET /docs, GET /docs/{name}: files of the folder VIADUCT_DOCS_DIR. */
enum step serve_docs(struct flow *f);
enum step serve_docs_file(struct flow *f);

#define DOCS_FILE(F, T) F(T, str, name, REQUIRED, 1, 64, "which file")
WIRE_MESSAGE(docs_file, DOCS_FILE)

#endif
