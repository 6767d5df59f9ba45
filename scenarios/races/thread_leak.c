/* SPDX-License-Identifier: MIT */
/* thread_leak.c - the thread that warms the cache is neither joined nor detached.
 *
 * Mechanism: its stack and its descriptor stay until the process ends. That it has done its work is
 * known by a condition, so nobody misses the join.
 */
#include "races/case.h"

#include <string.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool warm;
static char page[4 << 20];

static void *warm_cache(void *unused) {
    pthread_mutex_lock(&mutex);
    warm = true;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&mutex);
    return unused;
}

static void *serve(void *unused) {
    memset(page, 0, sizeof page);
    pthread_mutex_lock(&mutex);
    while (!warm)
        pthread_cond_wait(&changed, &mutex);
    pthread_mutex_unlock(&mutex);
    return unused;
}

int main(void) {
    pthread_t warmer, server;
    pthread_create(&warmer, NULL, warm_cache, NULL); /* FAULT a */
    pthread_create(&server, NULL, serve, NULL);
    pthread_join(server, NULL);
#if !BUG
    pthread_join(warmer, NULL);
#endif
    return 0;
}
