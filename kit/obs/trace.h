// SPDX-License-Identifier: Apache-2.0
/* W3C Trace Context (level 1, section 3.2): reading and writing `traceparent`. Any
 * thread. */
#ifndef KIT_OBS_TRACE_H
#define KIT_OBS_TRACE_H

#include "kit/flow/flow.h"

enum { TRACEPARENT_LEN = 55 };

/* A new trace with a new span. */
void trace_start(struct trace *t, bool sampled);
/* Continues the caller's trace with a new span; on an absent or malformed header starts a
 * new one that is not sampled. */
void trace_continue(struct trace *t, struct str traceparent);
/* A new span in the same trace. */
void trace_child(struct trace *t, const struct trace *parent);
/* Writes TRACEPARENT_LEN bytes, no NUL. */
void trace_format(const struct trace *t, char *out);

#endif
