/* SPDX-License-Identifier: MIT */
/* barrier_count.c - a barrier counts main as well, which does not come to it.
 *
 * Mechanism: the barrier opens for the third thread, and there are two; they wait for ever, and
 * main for them.
 */
#include "races/case.h"

#define WORKERS 2
#if BUG
#define PARTIES (WORKERS + 1)
#else
#define PARTIES WORKERS
#endif

static pthread_barrier_t barrier;
static int halves[WORKERS];

static void *work(void *argument) {
    int *half = argument;
    *half = 21;
    pthread_barrier_wait(&barrier); /* FAULT a */
    oracle(halves[0] + halves[1] == 42, "a half is missing after the barrier");
    return NULL;
}

int main(void) {
    pthread_t workers[WORKERS];
    pthread_barrier_init(&barrier, NULL, PARTIES);
    for (int i = 0; i < WORKERS; i++)
        pthread_create(&workers[i], NULL, work, &halves[i]);
    for (int i = 0; i < WORKERS; i++)
        pthread_join(workers[i], NULL);
    pthread_barrier_destroy(&barrier);
    return 0;
}
