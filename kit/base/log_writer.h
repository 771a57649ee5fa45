// SPDX-License-Identifier: Apache-2.0
/* Where finished log lines go: internal to kit/base/log.c. */
#ifndef KIT_BASE_LOG_WRITER_H
#define KIT_BASE_LOG_WRITER_H

#include <stddef.h>

/* Whole lines, LOG_LINE_MAX bytes at the most. Never fails: what cannot be written is
 * lost. Any thread. */
void log_out(const char *lines, size_t n);

#endif
