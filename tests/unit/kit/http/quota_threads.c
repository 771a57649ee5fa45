// SPDX-License-Identifier: Apache-2.0
/* Loops that share a quota: under the thread sanitizer, and nothing is left behind. */
#include "kit/http/quota.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { THREADS = 4, ROUNDS = 5000, BYTES = 300 };

static void require(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "%s\n", what);
    exit(1);
}

static void *come_and_go(void *arg)
{
    struct http_quota *q = arg;

    for (int i = 0; i < ROUNDS; i++) {
        struct http_quota_key k = {{(unsigned char)(i % 5)}};
        size_t n = (size_t)(i % 250);

        if (http_quota_enter(q, &k) == HTTP_QUOTA_YES)
            http_quota_leave(q, &k);
        if (http_quota_take_bytes(q, n))
            http_quota_give_bytes(q, n);
    }
    return NULL;
}

int main(void)
{
    const struct http_quota_conf conf = {3, 2, BYTES};
    struct http_quota *q = http_quota_create(&conf);
    struct http_quota_key k = {{1}};
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++)
        require(pthread_create(&threads[i], NULL, come_and_go, q) == 0, "no thread");
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    require(http_quota_enter(q, &k) == HTTP_QUOTA_YES, "a slot is lost");
    require(http_quota_enter(q, &k) == HTTP_QUOTA_YES, "a slot is lost");
    require(http_quota_enter(q, &k) == HTTP_QUOTA_ADDRESS_FULL, "a slot too many");
    require(http_quota_take_bytes(q, BYTES), "bytes are lost");
    http_quota_leave(q, &k);
    http_quota_leave(q, &k);
    http_quota_destroy(q);
    return 0;
}
