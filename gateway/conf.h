// SPDX-License-Identifier: Apache-2.0
/* Settings of viaduct-gateway. */
#ifndef GATEWAY_CONF_H
#define GATEWAY_CONF_H

#include "gateway/edge/limit.h"
#include "kit/conf/conf.h"
#include "kit/rpc/tls.h"
#include "kit/svc/svc.h"

/* Of each policy of gateway/edge/limit.h. */
#define LIMIT_OPTIONS(O, symbol, member, env, name, by, classes, leases, calls, s, doc) \
    O(i64, limit_##member, "VIADUCT_LIMIT_" env, calls, 0, 1e9,                         \
      doc " in a window; 0: no limit")                                                  \
    O(i64, window_##member, "VIADUCT_LIMIT_" env "_WINDOW_S", s, 1, 86400,              \
      "that window, which slides")

/* Of each class of gateway/edge/route.h. */
#define CLASS_OPTIONS(O, symbol, member, env, doc)               \
    O(str, ip_allow_##member, "VIADUCT_IP_ALLOW_" env, "", 0, 0, \
      "CIDR list of clients that may use " doc "; empty: all")   \
    O(str, ip_deny_##member, "VIADUCT_IP_DENY_" env, "", 0, 0,   \
      "CIDR list of clients that may not")

#define GATEWAY_OPTIONS(O)                                                             \
    SVC_OPTIONS(O, "127.0.0.1:9100")                                                   \
    O(str, listen, "VIADUCT_GATEWAY_LISTEN", "127.0.0.1:8080", 0, 0,                   \
      "address of the API")                                                            \
    O(str, tls_listen, "VIADUCT_GATEWAY_TLS_LISTEN", "", 0, 0,                         \
      "address of the API over TLS; empty: none")                                      \
    O(str, tls_certificates, "VIADUCT_TLS_CERTIFICATES", "", 0, 0,                     \
      "CERT.pem:KEY.pem, ...; the one made for the name that is asked for, or the "    \
      "first; read again on SIGHUP")                                                   \
    O(path, tls_tickets, "VIADUCT_TLS_TICKET_SECRETS", "", 0, 0,                       \
      "file of 64 hex digits a line, the same for all gateways; the first line makes " \
      "session tickets; empty: a random secret of this process")                       \
    O(i64, tls_redirect, "VIADUCT_TLS_REDIRECT_PORT", "0", 0, 65535,                   \
      "the plain address only sends to https at this port; 0: it serves the API")      \
    O(i64, hsts_s, "VIADUCT_HSTS_S", "31536000", 0, 1e9,                               \
      "max-age of Strict-Transport-Security over TLS; 0: none")                        \
    O(ms, handshake_ms, "VIADUCT_HANDSHAKE_MS", "5000", 100, 600000,                   \
      "how long a TLS handshake may take")                                             \
    O(ms, response_ms, "VIADUCT_RESPONSE_MS", "30000", 100, 3600000,                   \
      "how long a client may take to read a response, or a piece of a stream")         \
    O(str, users, "VIADUCT_USERS_UPSTREAM", "tcp://127.0.0.1:7101", 0, 0,              \
      "hop URLs of the users service, comma-separated; each address of a name counts") \
    O(str, orders, "VIADUCT_ORDERS_UPSTREAM", "tcp://127.0.0.1:7102", 0, 0,            \
      "hop URLs of the orders service")                                                \
    O(str, jobs, "VIADUCT_JOBS_UPSTREAM", "tcp://127.0.0.1:7103", 0, 0,                \
      "hop URLs of the jobs service")                                                  \
    O(i64, hop_in_flight, "VIADUCT_HOP_IN_FLIGHT", "2000", 1, 1e6,                     \
      "calls at a time to one service, per loop, at most; less while it is slow")      \
    O(i64, hop_in_flight_min, "VIADUCT_HOP_IN_FLIGHT_MIN", "100", 1, 1e6,              \
      "and at least, however slow it is")                                              \
    O(ms, hop_slow_ms, "VIADUCT_HOP_SLOW_MS", "1000", 10, 600000,                      \
      "a replica that takes so long for four of five calls is left alone for a while") \
    O(ms, hedge_ms, "VIADUCT_HEDGE_MS", "0", 0, 60000,                                 \
      "a read without an answer for so long is also asked of another replica; 0: not") \
    RPC_TLS_OPTIONS(O)                                                                 \
    O(url, redis, "VIADUCT_REDIS", "redis://127.0.0.1:6379", 0, 0,                     \
      "rate limits and revocation messages")                                           \
    O(ms, redis_ms, "VIADUCT_REDIS_TIMEOUT_MS", "100", 1, 10000,                       \
      "longest wait for a rate limit before it is kept locally")                       \
    O(str, issuer, "VIADUCT_ISSUER", "viaduct", 1, 200,                                \
      "iss that access tokens must have")                                              \
    O(str, audience, "VIADUCT_AUDIENCE", "viaduct-api", 1, 200,                        \
      "aud that access tokens must have")                                              \
    O(ms, api_key_ms, "VIADUCT_API_KEY_CACHE_MS", "30000", 0, 300000,                  \
      "what users said of an API key is not asked again for so long; revocations and " \
      "expiry count at once all the same")                                             \
    LIMIT_POLICIES(LIMIT_OPTIONS, O)                                                   \
    O(str, trusted_proxies, "VIADUCT_TRUSTED_PROXIES", "", 0, 0,                       \
      "CIDR list of proxies whose word on the client's address counts")                \
    O(str, proxy_field, "VIADUCT_PROXY_FIELD", "x-forwarded-for", 0, 0,                \
      "where they say it: x-forwarded-for or forwarded")                               \
    O(flag, proxy_protocol, "VIADUCT_PROXY_PROTOCOL", "false", 0, 0,                   \
      "trusted proxies begin each connection with a PROXY header of version 2, "       \
      "before TLS; they are not served without it")                                    \
    O(str, ip_deny, "VIADUCT_IP_DENY", "", 0, 0,                                       \
      "CIDR list of clients that get 403 everywhere")                                  \
    ROUTE_CLASSES(CLASS_OPTIONS, O)                                                    \
    O(str, cors_origins, "VIADUCT_CORS_ORIGINS", "", 0, 0,                             \
      "origins whose pages may call from a browser, comma-separated")                  \
    O(i64, connections, "VIADUCT_MAX_CONNECTIONS", "10000", 1, 1e6,                    \
      "clients at a time, per loop; more wait in the backlog, or are closed when "     \
      "both listeners are full")                                                       \
    O(i64, connections_of_ip, "VIADUCT_MAX_CONNECTIONS_PER_IP", "1000", 0, 1e6,        \
      "of them in the whole process from one address (IPv6: one /64), others are "     \
      "closed at once; trusted proxies are not counted; 0: no limit")                  \
    O(bytes, head_bytes, "VIADUCT_MAX_HEAD_BYTES", "16k", 1024, 1048576,               \
      "longest request head")                                                          \
    O(bytes, body_bytes, "VIADUCT_MAX_BODY_BYTES", "256k", 1024, 16777216,             \
      "longest request body, where a route has no limit of its own")                   \
    O(bytes, body_budget, "VIADUCT_BODY_BUDGET_BYTES", "64m", 0, 1099511627776,        \
      "request bodies in memory, in the whole process; more get 503; 0: no limit")     \
    O(path, docs, "VIADUCT_DOCS_DIR", "", 0, 0,                                        \
      "folder with the files of the page at /docs; empty: no such page")               \
    O(ms, idle_ms, "VIADUCT_IDLE_MS", "75000", 100, 3600000,                           \
      "how long a connection may wait for its next request")                           \
    O(ms, drain_idle_ms, "VIADUCT_DRAIN_IDLE_MS", "3000", 10, 60000,                   \
      "the same while draining; who asks within it gets an answer that ends the "      \
      "connection; less than VIADUCT_DRAIN_MS")                                        \
    O(ms, receive_ms, "VIADUCT_RECEIVE_MS", "15000", 100, 600000,                      \
      "how long head and body of a request may take to arrive")                        \
    O(ms, work_ms, "VIADUCT_WORK_MS", "10000", 10, 600000,                             \
      "how long the answer to a request may take")

CONF_STRUCT(gateway_conf, GATEWAY_OPTIONS)

#endif
