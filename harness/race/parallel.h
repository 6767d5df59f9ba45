/* SPDX-License-Identifier: MIT */
/* parallel.h - the same work on several threads. */
#ifndef TAILRACE_RACE_PARALLEL_H
#define TAILRACE_RACE_PARALLEL_H

#include <pthread.h>
#include <stdint.h>

#define PARALLEL_MAX 64

/* Runs work(context) on `jobs` threads, or as many as can be made, or else on this one; blocks
 * until all have returned. */
static inline void parallel_run(uint32_t jobs, void *(*work)(void *), void *context) {
    pthread_t threads[PARALLEL_MAX];
    uint32_t made = 0;
    while (made < jobs && made < PARALLEL_MAX &&
           pthread_create(&threads[made], NULL, work, context) == 0)
        made++;
    if (made == 0)
        work(context);
    for (uint32_t i = 0; i < made; i++)
        pthread_join(threads[i], NULL);
}

#endif
