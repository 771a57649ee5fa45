// SPDX-License-Identifier: Apache-2.0
/* Handles of outcomes are looked up when first seen: most of them never are. */
#include "kit/rpc/stats.h"

void rpc_stats_init(struct rpc_stats *s, enum rpc_side side, const char *method)
{
    *s = (struct rpc_stats){.method = method};
    if (side == RPC_CALLING) {
        s->name = "viaduct_hop_calls_total";
        s->help = "Calls to other services that ended";
        s->duration = metrics_histogram("viaduct_hop_call_duration_seconds",
                                        "Calls to other services, retries included",
                                        "method", method, NULL);
    } else {
        s->name = "viaduct_hop_served_total";
        s->help = "Calls of other processes that were answered";
        s->duration = metrics_histogram("viaduct_hop_serve_duration_seconds",
                                        "Answering calls of other processes", "method",
                                        method, NULL);
    }
}

void rpc_stats_count(struct rpc_stats *s, const struct err *err, int64_t took_us)
{
    struct metric **m = &s->outcomes[err ? err_kind(err) : ERR_KIND_COUNT];

    if (!*m)
        *m = metrics_counter(s->name, s->help, "method", s->method, "outcome",
                             err ? err_info(err)->label : "ok", NULL);
    metric_add(*m, 1);
    metric_observe_us(s->duration, took_us);
}

void rpc_stats_bad_frame(void)
{
    metric_add(metrics_counter("viaduct_hop_bad_frames_total",
                               "Hop messages that could not be decoded", NULL),
               1);
}
