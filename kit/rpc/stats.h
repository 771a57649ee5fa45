// SPDX-License-Identifier: Apache-2.0
/* What is counted per method, of the calling or of the answering side. Any thread. */
#ifndef KIT_RPC_STATS_H
#define KIT_RPC_STATS_H

#include "kit/base/err.h"
#include "kit/obs/metrics.h"

struct rpc_stats {
    const char *name, *help, *method;
    struct metric *outcomes[ERR_KIND_COUNT + 1]; /* by kind; the last one: ok */
    struct metric *duration;
};

enum rpc_side { RPC_CALLING, RPC_ANSWERING };

void rpc_stats_init(struct rpc_stats *s, enum rpc_side side, const char *method);
/* err == NULL: ok. Within one thread. */
void rpc_stats_count(struct rpc_stats *s, const struct err *err, int64_t took_us);

/* viaduct_hop_bad_frames_total: what could not be decoded, of either side. */
void rpc_stats_bad_frame(void);

#endif
