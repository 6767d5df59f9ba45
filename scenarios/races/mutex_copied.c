/* SPDX-License-Identifier: MIT */
/* mutex_copied.c - each thread works on its own copy of a struct that holds the mutex.
 *
 * Mechanism: a copy of a mutex is another mutex. The copies point to one total and each is locked
 * with care, by one thread only.
 */
#include "races/case.h"

#define THREADS 2
#define ADDITIONS 500

struct tally {
    pthread_mutex_t mutex;
    long *total;
};

static void add(struct tally *tally, long amount) {
    pthread_mutex_lock(&tally->mutex);
    *tally->total += amount; /* RACE a */
    pthread_mutex_unlock(&tally->mutex);
}

static void *add_up(void *argument) {
#if BUG
    struct tally copy = *(struct tally *)argument;
    struct tally *tally = &copy;
#else
    struct tally *tally = argument;
#endif
    for (int i = 0; i < ADDITIONS; i++)
        add(tally, 1);
    return NULL;
}

int main(void) {
    static long total; /* Not on the stack, where DRD does not look unless told to. */
    struct tally tally = {PTHREAD_MUTEX_INITIALIZER, &total};
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, add_up, &tally);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    oracle(total == THREADS * ADDITIONS, "additions were lost");
    return 0;
}
