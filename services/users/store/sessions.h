// SPDX-License-Identifier: Apache-2.0
/* Sign-in, sessions and refresh tokens in PostgreSQL; halves as in users/store/users.h.
 */
#ifndef USERS_STORE_SESSIONS_H
#define USERS_STORE_SESSIONS_H

#include "kit/flow/flow.h"
#include "proto/users.h"

struct pg_query;

/* Of a refresh token, and of an address whose failures are counted. BLAKE2b-256. */
struct digest {
    uint8_t b[32];
};

struct sign_in {
    bool found;
    struct uuid user;
    struct str password_hash;
    uint32_t roles;
    struct uuid tenant; /* nil: none */
    bool active;
    int64_t failures, last_failure_us; /* of this address; wall time, 0 for none */
};
struct pg_query *store_sign_in(struct flow *f, struct str email,
                               const struct digest *address);
void store_sign_in_read(const struct pg_query *q, struct sign_in *out);

struct pg_query *store_sign_in_failed(struct flow *f, const struct digest *address);

/* jkt: the key it is bound to; absent: none. */
struct pg_query *store_session_open(struct flow *f, struct uuid session, struct uuid user,
                                    const struct digest *token, int64_t lifetime_s,
                                    const struct digest *address, struct str jkt);

enum refresh_verdict {
    REFRESH_ROTATED,
    REFRESH_REUSED,
    REFRESH_DEAD,
    REFRESH_UNKNOWN,
    REFRESH_UNPROVEN, /* bound to another key */
};
struct refreshed {
    struct uuid session, user;
    struct uuid tenant; /* nil: none */
    uint32_t roles;
    int64_t expires_us; /* wall time, of the session */
};
struct pg_query *store_session_refresh(struct flow *f, const struct digest *presented,
                                       const struct digest *next, int64_t grace_ms,
                                       struct str jkt);
/* A reused token ends its family: the gateways are told. */
enum refresh_verdict store_session_refresh_read(struct flow *f, const struct pg_query *q,
                                                struct refreshed *out);

struct pg_query *store_session_revoke(struct flow *f, struct uuid session);
/* Tells every gateway that a session, or an API key, is over; call after the commit. */
void store_session_revoked(const struct flow *f, struct uuid session);

/* Every session whose access tokens may still be around though it was revoked, and every
 * API key that a gateway may still think good. */
struct pg_query *store_revoked(struct flow *f);
void store_revoked_read(struct flow *f, const struct pg_query *q, struct revoked *out);

/* Removes a bounded number of rows that nobody can use any more. */
struct pg_query *store_sessions_sweep(struct flow *f);

#endif
