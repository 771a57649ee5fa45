// SPDX-License-Identifier: Apache-2.0
/* Heap memory that is there or ends the process; see mem.h for why that is the safe
 * answer. */
#include "kit/base/mem.h"

#include "kit/base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DIE_LINE_MAX = 512 };

void mem_die(const char *fmt, ...)
{
    char line[DIE_LINE_MAX];
    va_list ap;
    int n;

    log_sync(); /* what led here */
    va_start(ap, fmt);
    n = vsnprintf(line, sizeof line - 1, fmt, ap);
    va_end(ap);
    if (n < 0)
        n = 0;
    if ((size_t)n > sizeof line - 2)
        n = (int)sizeof line - 2;
    line[n++] = '\n';
    if (write(STDERR_FILENO, line, (size_t)n) < 0)
        _exit(EXIT_FAILURE); /* nobody can be told, and abort() would say no more */
    abort();
}

void *mem_alloc(size_t size)
{
    void *p = calloc(1, size ? size : 1);

    if (!p)
        mem_die("out of memory: %zu bytes asked for", size);
    return p;
}

void *mem_realloc(void *p, size_t size)
{
    void *q = realloc(p, size ? size : 1);

    if (!q)
        mem_die("out of memory: %zu bytes asked for", size);
    return q;
}

char *mem_strdup(const char *s)
{
    size_t size = strlen(s) + 1;
    char *copy = mem_alloc(size);

    memcpy(copy, s, size);
    return copy;
}
