// SPDX-License-Identifier: Apache-2.0
/*
 * Mutual TLS on the hop: who this process is, for its listener and all its callers. A
 * certificate, its key and the CA that all peers are signed by, as PEM files. URLs
 * "tls+tcp://" use it: the listener refuses peers without a certificate of the CA, a
 * caller also a service whose certificate has not the host name of its URL.
 *
 * A thread looks at the files every RPC_TLS_LOOK_MS; when they have changed and are good,
 * connections made from then on use the new ones, those there are go on. Bad ones are
 * logged and the last good ones stay.
 *
 * Life: rpc_tls_start (files "": off) -> clients and listeners -> rpc_tls_stop.
 */
#ifndef KIT_RPC_TLS_H
#define KIT_RPC_TLS_H

#include "kit/base/err.h"
#include "kit/base/list.h"

#include <nng/nng.h>
#include <nng/supplemental/tls/tls.h>

/* Rows of the option table of every program on the hop. */
#define RPC_TLS_OPTIONS(O)                                                        \
    O(path, hop_tls_cert, "VIADUCT_HOP_TLS_CERT", "", 0, 0,                       \
      "PEM file: this process's certificate for tls+tcp:// hop URLs, then those " \
      "between it and the CA")                                                    \
    O(path, hop_tls_key, "VIADUCT_HOP_TLS_KEY", "", 0, 0,                         \
      "PEM file: the certificate's private key")                                  \
    O(path, hop_tls_ca, "VIADUCT_HOP_TLS_CA", "", 0, 0,                           \
      "PEM file: the CAs that certificates of peers must come from")

/* Of a conf with these rows. */
#define RPC_TLS_FILES(c) \
    ((struct rpc_tls_files){(c)->hop_tls_cert, (c)->hop_tls_key, (c)->hop_tls_ca})

enum {
    RPC_TLS_LOOK_MS = 2000,
    RPC_TLS_FILE_MAX = 256 << 10,
    RPC_TLS_NAME_MAX = 255,
};

/* All three, or none: "". */
struct rpc_tls_files {
    const char *cert, *key, *ca;
};

/* For --check: the files are good, and there when one of the hop URLs (NULL-terminated)
 * needs them. The error names the setting. */
MUST_CHECK const struct err *rpc_tls_check(struct arena *a,
                                           const struct rpc_tls_files *files,
                                           const char *const urls[]);
/* Once, before the first client or listener. The paths must live until rpc_tls_stop. */
MUST_CHECK const struct err *rpc_tls_start(struct arena *a,
                                           const struct rpc_tls_files *files);
/* After the last one. */
void rpc_tls_stop(void);

/* ---- for dial.c and listen.c ------------------------------------------------ */

struct rpc_tls_identity;

bool rpc_tls_is(const char *url);
/* NULL, or why tls+tcp:// cannot be used. */
const char *rpc_tls_off(void);

/* A dialer or a listener. */
struct rpc_tls_user {
    struct list link;
    struct rpc_tls_identity *identity;
    /* Takes the configuration for connections from now on; false: NNG refused it. In
     * rpc_tls_join, later in the thread that looks. */
    bool (*take)(struct rpc_tls_user *u, nng_tls_config *conf);
};

/* server_name NULL: a listener. NULL, or why not. Any thread. */
MUST_CHECK const char *rpc_tls_join(struct rpc_tls_user *u, const char *server_name);
/* No call of u->take afterwards; a user that has not joined may leave. */
void rpc_tls_leave(struct rpc_tls_user *u);
/* NNG chooses the configuration of a connection when it begins to wait for it. So, after
 * a listener took a new one: a connection of our own, over at once, is the next. */
void rpc_tls_pass_next(nng_listener listener);

/* ---- between tls.c and tls_files.c ------------------------------------------ */

struct rpc_tls_pem {
    char *cert, *key, *ca; /* texts */
    int64_t expires_s;     /* wall time */
};

/* Reads and checks: each parses, the key is the certificate's, and that comes from the CA
 * and is valid now. */
MUST_CHECK const struct err *rpc_tls_read(struct arena *a,
                                          const struct rpc_tls_files *files,
                                          struct rpc_tls_pem *out);
void rpc_tls_pem_fini(struct rpc_tls_pem *pem);

#endif
