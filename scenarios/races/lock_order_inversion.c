/* SPDX-License-Identifier: MIT */
/* lock_order_inversion.c - saving takes two locks in one order, loading in the other.
 *
 * Mechanism: the two never meet here (the thread that saves is joined first), so nothing hangs;
 * run side by side, each could hold what the other wants.
 */
#include "races/case.h"

static pthread_mutex_t index_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t data_mutex = PTHREAD_MUTEX_INITIALIZER;
static int entries, bytes;

static void *save(void *unused) {
    pthread_mutex_lock(&index_mutex);
    pthread_mutex_lock(&data_mutex); /* FAULT a */
    entries++;
    bytes += 100;
    pthread_mutex_unlock(&data_mutex);
    pthread_mutex_unlock(&index_mutex);
    return unused;
}

static void load(void) {
#if BUG
    pthread_mutex_lock(&data_mutex);
    pthread_mutex_lock(&index_mutex); /* FAULT b */
#else
    pthread_mutex_lock(&index_mutex);
    pthread_mutex_lock(&data_mutex);
#endif
    oracle(bytes == 100 * entries, "the index does not fit the data");
    pthread_mutex_unlock(&data_mutex);
    pthread_mutex_unlock(&index_mutex);
}

int main(void) {
    pthread_t saver;
    pthread_create(&saver, NULL, save, NULL);
    pthread_join(saver, NULL);
    load();
    return 0;
}
