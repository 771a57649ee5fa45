// SPDX-License-Identifier: Apache-2.0
/*
 * Heap memory that is there or ends the process. What a peer can make us hold is bounded
 * before (frames, bodies, connections), so running out means the operator's limit is too
 * small: dying at once and being restarted is the safe answer (docs/INVARIANTS.md).
 */
#ifndef KIT_BASE_MEM_H
#define KIT_BASE_MEM_H

#include <stddef.h>

/* Whether what was freed may be kept for the next user: not where AddressSanitizer
 * watches, which would not see that it is still used. */
#if defined(__SANITIZE_ADDRESS__)
#define MEM_REUSE 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MEM_REUSE 0
#endif
#endif
#ifndef MEM_REUSE
#define MEM_REUSE 1
#endif

/* Zeroed; never NULL; free() releases. */
__attribute__((malloc, returns_nonnull)) void *mem_alloc(size_t size);
__attribute__((returns_nonnull)) void *mem_realloc(void *p, size_t size);
__attribute__((malloc, returns_nonnull)) char *mem_strdup(const char *s);

/* Logs nothing, prints one line to stderr, aborts. For broken invariants only. */
__attribute__((noreturn, format(printf, 1, 2))) void mem_die(const char *fmt, ...);

#define MEM_NEW(type) ((type *)mem_alloc(sizeof(type)))

#endif
