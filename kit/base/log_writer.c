// SPDX-License-Identifier: Apache-2.0
/*
 * The thread that writes the log, so that no loop waits for a disk or a pipe. Lines are
 * copied into `filling` under the lock; the thread exchanges it for the other buffer and
 * writes that without the lock. Between two writes it rests, so that a busy process wakes
 * it a few hundred times a second and not once a turn.
 *
 * Every write ends with a line and is no longer than PIPE_BUF: atomic into a pipe that
 * other processes write to as well.
 */
#include "kit/base/log_writer.h"

#include "kit/base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { QUEUE_MAX = 1 << 20, REST_US = 2000, SYNC_S = 1 };

static char buffers[2][QUEUE_MAX];

static struct {
    atomic_bool on;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t more, written;
    char *filling;
    size_t n;           /* bytes in it */
    unsigned long lost; /* writes that found no room */
    bool writing, stop;
} w = {
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .more = PTHREAD_COND_INITIALIZER,
    .written = PTHREAD_COND_INITIALIZER,
    .filling = buffers[0],
};

/* A full pipe that must not block loses the lines. */
static void write_out(const char *p, size_t n)
{
    while (write(STDERR_FILENO, p, n) < 0 && errno == EINTR)
        ;
}

/* The lines that fit in one atomic write. */
static size_t some_lines(const char *p, size_t n)
{
    const char *end = n > LOG_LINE_MAX ? memrchr(p, '\n', LOG_LINE_MAX) : NULL;

    return end ? (size_t)(end - p) + 1 : n;
}

static void write_lines(const char *p, size_t n)
{
    while (n > 0) {
        size_t some = some_lines(p, n);

        write_out(p, some);
        p += some;
        n -= some;
    }
}

static void write_lost(unsigned long lost)
{
    char line[128];
    int n =
        snprintf(line, sizeof line,
                 "{\"level\":\"warn\",\"event\":\"log.lost\",\"writes\":%lu}\n", lost);

    if (lost > 0)
        write_out(line, (size_t)n);
}

/* Under the lock, which is free while the thread writes and rests. */
static void write_queue(void)
{
    const struct timespec rest = {.tv_nsec = REST_US * 1000L};
    const char *full = w.filling;
    unsigned long lost = w.lost;
    size_t n = w.n;

    w.filling = full == buffers[0] ? buffers[1] : buffers[0];
    w.n = 0;
    w.lost = 0;
    w.writing = true;
    pthread_mutex_unlock(&w.lock);
    write_lines(full, n);
    write_lost(lost);
    pthread_mutex_lock(&w.lock);
    w.writing = false;
    pthread_cond_broadcast(&w.written);
    if (w.stop)
        return;
    pthread_mutex_unlock(&w.lock);
    (void)nanosleep(&rest, NULL);
    pthread_mutex_lock(&w.lock);
}

static void *run(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&w.lock);
    while (w.n > 0 || !w.stop)
        if (w.n > 0)
            write_queue();
        else
            pthread_cond_wait(&w.more, &w.lock);
    pthread_mutex_unlock(&w.lock);
    return NULL;
}

/* False: the thread is about to end and takes nothing more. */
static bool queue(const char *lines, size_t n)
{
    bool open;

    pthread_mutex_lock(&w.lock);
    open = !w.stop;
    if (open && w.n == 0)
        pthread_cond_signal(&w.more);
    if (open && n <= QUEUE_MAX - w.n) {
        memcpy(w.filling + w.n, lines, n);
        w.n += n;
    } else if (open) {
        w.lost++;
    }
    pthread_mutex_unlock(&w.lock);
    return open;
}

void log_out(const char *lines, size_t n)
{
    if (!atomic_load_explicit(&w.on, memory_order_relaxed) || !queue(lines, n))
        write_out(lines, n);
}

void log_sync(void)
{
    struct timespec until;

    log_flush();
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += SYNC_S;
    pthread_mutex_lock(&w.lock);
    while (atomic_load(&w.on) && (w.n > 0 || w.writing) &&
           pthread_cond_timedwait(&w.written, &w.lock, &until) == 0)
        ;
    pthread_mutex_unlock(&w.lock);
}

/* A thread that a pipe holds up is not waited for any longer than a second. */
static void stop(void)
{
    bool done;

    log_sync();
    pthread_mutex_lock(&w.lock);
    w.stop = true;
    done = w.n == 0 && !w.writing;
    pthread_cond_signal(&w.more);
    pthread_mutex_unlock(&w.lock);
    if (done)
        pthread_join(w.thread, NULL);
    else
        pthread_detach(w.thread);
    atomic_store(&w.on, false);
}

void log_background(bool on)
{
    log_flush();
    if (on == atomic_load(&w.on))
        return;
    if (!on) {
        stop();
        return;
    }
    w.stop = false;
    atomic_store(&w.on, pthread_create(&w.thread, NULL, run, NULL) == 0);
}
