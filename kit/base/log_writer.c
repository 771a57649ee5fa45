// SPDX-License-Identifier: Apache-2.0
/*
 * The thread that writes the log, so that no loop waits for a disk or a pipe, nor for
 * this thread: there is no lock. A record is a word with its length, then its lines, in a
 * ring of words. Who logs moves `head` past the record, which makes its room theirs,
 * copies the lines and stores the length; the thread takes records that have one, clears
 * their words and moves `tail`. A logger that is held up in between holds up the writing
 * and nobody else. Positions only grow; modulo the ring they are indices.
 *
 * The thread sleeps when there is nothing, and rests between two rounds, so that a busy
 * process wakes it a few hundred times a second and not once a turn.
 */
#include "kit/base/log_writer.h"

#include "kit/base/log.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum {
    WORD = sizeof(uint64_t),
    WORDS = (1 << 20) / WORD,
    REST_US = 2000,
    SYNC_MS = 1000
};

static _Alignas(WORD) char ring[WORDS * WORD];

static struct {
    atomic_bool on, stop, asleep;
    pthread_t thread;
    sem_t wake;
    _Atomic uint64_t head, tail, written; /* in words */
    atomic_ulong lost;                    /* records that found no room */
} w;

/* ---- the ring ------------------------------------------------------------------- */

static uint64_t words_of(size_t n)
{
    return 1 + (n + WORD - 1) / WORD;
}

static char *at(uint64_t position)
{
    return ring + position % WORDS * WORD;
}

static _Atomic uint64_t *length_at(uint64_t position)
{
    return (_Atomic uint64_t *)(void *)at(position);
}

/* Of n bytes from a position on, those before the ring's end. */
static size_t before_end(uint64_t position, size_t n)
{
    size_t room = (WORDS - position % WORDS) * WORD;

    return n < room ? n : room;
}

/* A head that was read before others moved on may lie before the tail: it is read again
 * when it is not to be exchanged. */
static bool reserve(uint64_t words, uint64_t *position)
{
    *position = atomic_load(&w.head);
    do {
        uint64_t end = *position + words;

        if ((int64_t)(end - atomic_load(&w.tail)) > WORDS)
            return false;
    } while (!atomic_compare_exchange_weak(&w.head, position, *position + words));
    return true;
}

static void put(const char *lines, size_t n)
{
    uint64_t position;
    size_t first;

    if (!reserve(words_of(n), &position)) {
        atomic_fetch_add(&w.lost, 1);
        return;
    }
    first = before_end(position + 1, n);
    memcpy(at(position + 1), lines, first);
    memcpy(at(0), lines + first, n - first);
    atomic_store(length_at(position), n);
    if (atomic_load(&w.asleep) && atomic_exchange(&w.asleep, false))
        (void)sem_post(&w.wake);
}

/* The thread alone. The length of the next record; 0: there is none yet. */
static size_t next(void)
{
    return atomic_load(length_at(atomic_load(&w.tail)));
}

static void take(char *lines, size_t n)
{
    uint64_t tail = atomic_load(&w.tail), words = words_of(n);
    size_t first = before_end(tail + 1, n), cleared = before_end(tail, words * WORD);

    memcpy(lines, at(tail + 1), first);
    memcpy(lines + first, at(0), n - first);
    memset(at(tail), 0, cleared);
    memset(at(0), 0, words * WORD - cleared);
    atomic_store(&w.tail, tail + words);
}

/* ---- writing -------------------------------------------------------------------- */

/* A full pipe that must not block loses the lines. */
static void write_out(const char *p, size_t n)
{
    while (write(STDERR_FILENO, p, n) < 0 && errno == EINTR)
        ;
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

/* All that is ready, as many records in a write as fit: whole lines, and atomic into a
 * pipe that other processes write to as well. False: there was nothing. */
static bool write_ready(void)
{
    static char lines[LOG_LINE_MAX];
    size_t n, held = 0;
    bool some = false;

    for (; (n = next()) > 0; some = true) {
        if (held + n > sizeof lines) {
            write_out(lines, held);
            held = 0;
        }
        take(lines + held, n);
        held += n;
    }
    write_out(lines, held);
    write_lost(atomic_exchange(&w.lost, 0));
    atomic_store(&w.written, atomic_load(&w.tail));
    return some;
}

static void sleep_until_more(void)
{
    atomic_store(&w.asleep, true);
    if (next() == 0 && !atomic_load(&w.stop))
        (void)sem_wait(&w.wake);
    atomic_store(&w.asleep, false);
}

static void *run(void *arg)
{
    const struct timespec rest = {.tv_nsec = REST_US * 1000L};
    bool stop;

    (void)arg;
    do {
        stop = atomic_load(&w.stop);
        if (!write_ready())
            sleep_until_more();
        else if (!stop)
            (void)nanosleep(&rest, NULL);
    } while (!stop);
    return NULL;
}

/* ---- from outside --------------------------------------------------------------- */

void log_out(const char *lines, size_t n)
{
    if (atomic_load_explicit(&w.on, memory_order_relaxed))
        put(lines, n);
    else
        write_out(lines, n);
}

/* What was logged before is written. */
static bool sync_up(void)
{
    const struct timespec pause = {.tv_nsec = 1000000};
    uint64_t head = atomic_load(&w.head);

    for (int ms = 0; atomic_load(&w.written) < head; ms++) {
        if (ms == SYNC_MS)
            return false;
        (void)nanosleep(&pause, NULL);
    }
    return true;
}

void log_sync(void)
{
    log_flush();
    if (atomic_load(&w.on))
        (void)sync_up();
}

/* A thread that a pipe holds up is not waited for any longer. */
static void stop(void)
{
    bool done = sync_up();

    atomic_store(&w.on, false);
    atomic_store(&w.stop, true);
    (void)sem_post(&w.wake);
    if (!done) {
        pthread_detach(w.thread);
        return;
    }
    pthread_join(w.thread, NULL);
    (void)write_ready(); /* of threads that logged meanwhile */
    (void)sem_destroy(&w.wake);
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
    atomic_store(&w.stop, false);
    (void)sem_init(&w.wake, 0, 0);
    atomic_store(&w.on, pthread_create(&w.thread, NULL, run, NULL) == 0);
}
