// SPDX-License-Identifier: Apache-2.0
/* Threads that log while another begins, waits for and ends the writing in the
 * background: every line arrives whole. */
#include "kit/base/log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { THREADS = 4, LINES = 2000, LINE_BYTES = 200 };

static atomic_int running = THREADS;

static void *log_lines(void *arg)
{
    (void)arg;
    log_hold(true);
    for (int i = 0; i < LINES; i++) {
        LOG_INFO(NULL, "line", KV("n", i));
        if (i % 10 == 0)
            log_flush();
    }
    log_hold(false);
    atomic_fetch_sub(&running, 1);
    return NULL;
}

static int whole_lines(int fd)
{
    char *text = calloc(1, THREADS * LINES * LINE_BYTES);
    ssize_t n = pread(fd, text, THREADS * LINES * LINE_BYTES - 1, 0);
    int lines = 0;

    for (char *at = text, *end; n > 0 && (end = strchr(at, '\n')); at = end + 1)
        lines += str_starts(str_of(at), STR("{\"ts\":\"")) && end[-1] == '}';
    free(text);
    return lines;
}

int main(void)
{
    pthread_t threads[THREADS];
    int real_stderr = dup(STDERR_FILENO), file = memfd_create("log", 0), lines;

    dup2(file, STDERR_FILENO);
    log_background(true);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, log_lines, NULL);
    while (atomic_load(&running) > 0)
        log_sync();
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    log_background(false);
    dup2(real_stderr, STDERR_FILENO);
    lines = whole_lines(file);
    if (lines == THREADS * LINES)
        return 0;
    fprintf(stderr, "%d lines of %d\n", lines, THREADS * LINES);
    return 1;
}
