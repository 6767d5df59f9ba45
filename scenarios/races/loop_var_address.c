/* SPDX-License-Identifier: MIT */
/* loop_var_address.c - each worker is given the address of the loop's variable for its number.
 *
 * Mechanism: all have the same address. When a worker looks there, the loop has counted on, or the
 * variable is gone with the loop.
 */
#include "races/case.h"

#define WORKERS 4

static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static unsigned seen; /* a bit for each worker's number */

static void *work(void *data) {
    int number = *(const int *)data; /* RACE a */
    pthread_mutex_lock(&guard);
    seen |= 1u << number;
    pthread_mutex_unlock(&guard);
    return NULL;
}

int main(void) {
    pthread_t threads[WORKERS];
#if BUG
    for (int i = 0; i < WORKERS; i++)                /* RACE b */
        pthread_create(&threads[i], NULL, work, &i); /* RACE c */
#else
    int numbers[WORKERS];
    for (int i = 0; i < WORKERS; i++) {
        numbers[i] = i;
        pthread_create(&threads[i], NULL, work, &numbers[i]);
    }
#endif
    for (int i = 0; i < WORKERS; i++)
        pthread_join(threads[i], NULL);
    oracle(seen == (1u << WORKERS) - 1, "two workers had the same number");
    return 0;
}
