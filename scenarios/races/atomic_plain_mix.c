/* SPDX-License-Identifier: MIT */
/* atomic_plain_mix.c - a counter is raised atomically and collected by plain accesses.
 *
 * Mechanism: atomic and plain accesses to one object race with each other. The collector reads the
 * count and sets it to zero in two steps; what is counted between them is lost.
 */
#include "races/case.h"

#include <sched.h>

#define COUNTERS 2
#define EVENTS 2000
#define COLLECTIONS 200

static long pending;

static void *count_events(void *unused) {
    for (int i = 0; i < EVENTS; i++)
        __atomic_fetch_add(&pending, 1, __ATOMIC_RELAXED); /* RACE a */
    return unused;
}

static long collect(void) {
#if BUG
    long collected = pending; /* RACE b */
    pending = 0;              /* RACE c */
    return collected;
#else
    return __atomic_exchange_n(&pending, 0, __ATOMIC_RELAXED);
#endif
}

int main(void) {
    pthread_t threads[COUNTERS];
    for (int i = 0; i < COUNTERS; i++)
        pthread_create(&threads[i], NULL, count_events, NULL);
    long total = 0;
    for (int i = 0; i < COLLECTIONS; i++) {
        total += collect();
        sched_yield();
    }
    for (int i = 0; i < COUNTERS; i++)
        pthread_join(threads[i], NULL);
    total += collect();
    oracle(total == COUNTERS * EVENTS, "events were not collected");
    return 0;
}
