/* SPDX-License-Identifier: MIT */
/* missed_signal.c - the flag that a thread waits for is atomic, so its setter takes no lock.
 *
 * Mechanism: between the waiter's look at the flag and its going to sleep, the setter can set the
 * flag and signal to nobody; the lock would have kept it out. The waiter then sleeps for ever.
 */
#include "races/case.h"

#include <stdatomic.h>
#include <string.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static atomic_bool ready;
static char table[4 << 20];

static void *serve(void *unused) {
    pthread_mutex_lock(&mutex);
    /* acquire: partner is the store in load */
    while (!atomic_load_explicit(&ready, memory_order_acquire))
        pthread_cond_wait(&changed, &mutex); /* FAULT a */
    pthread_mutex_unlock(&mutex);
    oracle(table[0] == 1, "served before the table was there");
    return unused;
}

static void *load(void *unused) {
    memset(table, 1, sizeof table);
#if !BUG
    pthread_mutex_lock(&mutex);
#endif
    /* release: partner is the load in serve */
    atomic_store_explicit(&ready, true, memory_order_release);
    pthread_cond_signal(&changed);
#if !BUG
    pthread_mutex_unlock(&mutex);
#endif
    return unused;
}

int main(void) {
    pthread_t server, loader;
    pthread_create(&server, NULL, serve, NULL);
    pthread_create(&loader, NULL, load, NULL);
    pthread_join(server, NULL);
    pthread_join(loader, NULL);
    return 0;
}
