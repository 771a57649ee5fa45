// SPDX-License-Identifier: Apache-2.0
/*
 * A service with odd methods, in processes of its own (rpc-rig-server, found in
 * VIADUCT_BIN) or in threads of the test, and a caller in the test's main thread. The
 * processes die with the test.
 */
#ifndef TESTS_SUPPORT_RPC_RIG_H
#define TESTS_SUPPORT_RPC_RIG_H

#include "kit/rpc/client.h"
#include "kit/rpc/server.h"

#include <stdatomic.h>
#include <sys/types.h>

/* ---- the service ------------------------------------------------------------ */

#define RIG_TEXT(F, T)                                   \
    F(T, text, text, REQUIRED, 0, 2000000, "given back") \
    F(T, i64, number, OPTIONAL, 0, 3000000, "milliseconds, or bytes")
WIRE_MESSAGE(rig_text, RIG_TEXT)

/*   ECHO gives back, SLEEP does so after `number` ms, WORK too but not twice, FAIL says
 * out of stock with two fields, ODD a code that the caller does not know, BREAK always
 * `internal`, GROW gives `number` bytes, WHO what came along with the call; BRIEF is
 * SLEEP with a time-out of 100 ms; FLAKY is unavailable two times of five; STREAM writes
 * `number` chunks that begin with their number, and then does as `text` says: "fail" or
 * "hang"; MISSING is not served. */
#define RIG_METHODS(M)                                                    \
    M(0x0901, RIG_ECHO, "rig.echo", rig_text, rig_text, true, 120000)     \
    M(0x0902, RIG_SLEEP, "rig.sleep", rig_text, rig_text, true, 120000)   \
    M(0x0903, RIG_WORK, "rig.work", rig_text, rig_text, false, 120000)    \
    M(0x0904, RIG_FAIL, "rig.fail", rig_text, rig_text, true, 120000)     \
    M(0x0905, RIG_ODD, "rig.odd", rig_text, rig_text, true, 120000)       \
    M(0x0906, RIG_BREAK, "rig.break", rig_text, rig_text, false, 120000)  \
    M(0x0907, RIG_GROW, "rig.grow", rig_text, rig_text, true, 120000)     \
    M(0x0908, RIG_WHO, "rig.who", rig_text, rig_text, true, 120000)       \
    M(0x0909, RIG_BRIEF, "rig.brief", rig_text, rig_text, true, 100)      \
    M(0x090c, RIG_FLAKY, "rig.flaky", rig_text, rig_text, true, 120000)   \
    M(0x090b, RIG_STREAM, "rig.stream", rig_text, rig_text, true, 120000) \
    M(0x090a, RIG_MISSING, "rig.missing", rig_text, rig_text, false, 120000)
RIG_METHODS(RPC_METHOD_DECLARE)

enum { RIG_CHUNK = 60000 }; /* bytes */

extern const struct err_code RIG_OUT_OF_STOCK;

/* What the handlers did, of all processes of the test. */
struct rig_counts {
    atomic_uint begun, done, cut_off; /* cut off: the flow ended before its work did */
    atomic_uint chunks;               /* written */
};
extern struct rig_counts *rig_counts;

struct rig_conf {
    const char *url;
    unsigned loops, max_in_flight; /* 0: 1 and 10000 */
    const char *zone;              /* of a server in threads */
};

/* In threads of this process. */
struct rig_server;
struct rig_server *rig_server_start(const struct rig_conf *conf);
const char *rig_server_url(const struct rig_server *s);
unsigned rig_server_in_flight(const struct rig_server *s);
void rig_server_drain(struct rig_server *s);
void rig_server_stop(struct rig_server *s);

/* First of all in each test; the other one in a spawned server, with the shared counts.
 */
void rig_init(void);
void rig_init_child(int fd);
/* In processes: SIGKILL kills them, SIGTERM drains them and then they exit. */
pid_t rig_spawn(const struct rig_conf *conf, char *url, size_t url_room);
/* Waits for the end of a spawned server; its status. */
int rig_reap(pid_t pid);
/* Who this process is: cert.pem, key.pem and ca.pem of the folder. */
void rig_tls_start(const char *folder);
/* A URL that nobody else uses: ipc; and one of TCP, which stays ours between two servers.
 */
const char *rig_ipc(const char *name);
const char *rig_tcp(void);

/* ---- the caller ------------------------------------------------------------- */

/* How a call ended. */
struct rig_outcome {
    bool ended;
    const struct err_code *code; /* NULL: well */
    char text[4000];             /* of the reply, or the detail of the error */
    size_t text_len;
    char fields[400]; /* "pointer: detail; " of each */
    int64_t took_ms, retry_after_ms;
    unsigned chunks;   /* of RIG_STREAM, read in their order */
    struct flow *flow; /* while it runs */
};

struct rig_call {
    const struct rpc_method *method;
    const char *text;
    int64_t number, timeout_ms; /* 0: two minutes */
    const char *key, *request_id;
    unsigned most;    /* RIG_STREAM: how many chunks are read, 0: all */
    int64_t pause_ms; /* before each of them */
    enum priority priority;
};

extern struct loop *rig_loop;
extern struct rpc_client *rig_client;
extern unsigned rig_running; /* calls that have not ended */

/* The caller, with `urls` as upstream; waits until it is up. */
void rig_connect(const char *urls);
/* The same by another conf; its self and codes are filled in. */
void rig_connect_as(const char *urls, const struct rpc_client_conf *conf);
void rig_disconnect(void);
void rig_begin(const struct rig_call *call, struct rig_outcome *o);
/* begin, and run the loop until it has ended. */
void rig_do(const struct rig_call *call, struct rig_outcome *o);
/* Runs the loop until the condition holds; false after a generous while. */
bool rig_until(bool (*holds)(void *arg), void *arg);
bool rig_all_ended(void *unused);
bool rig_is_up(void *unused);
bool rig_is_down(void *unused);

#endif
