/* SPDX-License-Identifier: MIT */
/* publish_plain_flag.c - a table is announced as loaded by a plain bool.
 *
 * Mechanism: two plain stores have no order for another thread, and neither have its two loads. The
 * compiler may swap them or read the flag once, the processor may show the flag before the table.
 */
#include "races/case.h"

#include <sched.h>

#define ROUTES 16

static int hops[ROUTES];
static bool ready;
#if !BUG
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t became_ready = PTHREAD_COND_INITIALIZER;
#endif

static void announce(void) {
#if BUG
    ready = true; /* RACE a */
#else
    pthread_mutex_lock(&mutex);
    ready = true;
    pthread_cond_signal(&became_ready);
    pthread_mutex_unlock(&mutex);
#endif
}

static void wait_until_ready(void) {
#if BUG
    while (!ready) /* RACE b */
        sched_yield();
#else
    pthread_mutex_lock(&mutex);
    while (!ready)
        pthread_cond_wait(&became_ready, &mutex);
    pthread_mutex_unlock(&mutex);
#endif
}

static void *load_routes(void *unused) {
    for (int i = 0; i < ROUTES; i++)
        hops[i] = i + 1; /* RACE c */
    announce();
    return unused;
}

int main(void) {
    pthread_t loader;
    pthread_create(&loader, NULL, load_routes, NULL);
    wait_until_ready();
    int sum = 0;
    for (int i = 0; i < ROUTES; i++)
        sum += hops[i]; /* RACE d */
    pthread_join(loader, NULL);
    oracle(sum == ROUTES * (ROUTES + 1) / 2, "the table was announced before it was loaded");
    return 0;
}
