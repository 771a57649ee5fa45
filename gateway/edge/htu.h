// SPDX-License-Identifier: Apache-2.0
/*
 * Is the address in a DPoP proof (RFC 9449 section 4.3, htu) that of the request? Scheme
 * and host in any case, the scheme's own port left out, the path normalised as that of
 * the request was, query and fragment left alone. A request that came plain may have been
 * TLS up to a proxy, so both schemes fit it; what came over TLS was for https. Pure.
 */
#ifndef GATEWAY_EDGE_HTU_H
#define GATEWAY_EDGE_HTU_H

#include "kit/base/arena.h"

struct htu_want {
    bool tls;
    struct str host; /* as in Host */
    struct str path; /* of http_req: decoded */
};

bool htu_fits(struct arena *a, struct str htu, const struct htu_want *want);

#endif
