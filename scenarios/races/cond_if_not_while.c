/* SPDX-License-Identifier: MIT */
/* cond_if_not_while.c - a consumer that is woken does not look again whether there is an item.
 *
 * Mechanism: between the signal and the moment when the woken consumer has the lock again, another
 * one that never slept takes the item; the first takes one that is not there. As a rule both
 * sleep by the time the producer has its items ready.
 */
#include "races/case.h"

#include <string.h>

#define CONSUMERS 2

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t filled = PTHREAD_COND_INITIALIZER;
static int items;
static char goods[4 << 20];

static void *consume(void *unused) {
    pthread_mutex_lock(&mutex);
#if BUG
    if (items == 0)
#else
    while (items == 0)
#endif
        pthread_cond_wait(&filled, &mutex);
    items--;
    oracle(items >= 0, "an item was taken that is not there"); /* FAULT a */
    pthread_mutex_unlock(&mutex);
    return unused;
}

static void *produce(void *unused) {
    memset(goods, 1, sizeof goods);
    for (int i = 0; i < CONSUMERS; i++) {
        pthread_mutex_lock(&mutex);
        items++;
        pthread_cond_signal(&filled);
        pthread_mutex_unlock(&mutex);
    }
    return unused;
}

int main(void) {
    pthread_t consumers[CONSUMERS], producer;
    for (int i = 0; i < CONSUMERS; i++)
        pthread_create(&consumers[i], NULL, consume, NULL);
    pthread_create(&producer, NULL, produce, NULL);
    for (int i = 0; i < CONSUMERS; i++)
        pthread_join(consumers[i], NULL);
    pthread_join(producer, NULL);
    oracle(items == 0, "items are left");
    return 0;
}
