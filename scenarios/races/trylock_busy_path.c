/* SPDX-License-Identifier: MIT */
/* trylock_busy_path.c - who finds the statistics locked counts its sample as skipped, unlocked.
 *
 * Mechanism: the path for a busy lock runs just when another is inside, and touches what the lock
 * guards. It is as rare as the collision of two short critical sections.
 */
#include "races/case.h"

#include <stdatomic.h>
#include <string.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int recorded;
#if BUG
static int skipped; /* under mutex, it was meant */
#else
static atomic_int skipped;
#endif
static char samples[4 << 20];

static void record(void) {
    if (pthread_mutex_trylock(&mutex) != 0) {
#if BUG
        skipped++; /* RACE a */
#else
        atomic_fetch_add_explicit(&skipped, 1, memory_order_relaxed);
#endif
        return;
    }
    recorded++;
#if BUG
    const int skips = skipped; /* RACE b */
#else
    const int skips = atomic_load_explicit(&skipped, memory_order_relaxed);
#endif
    oracle(recorded + skips <= 2, "more was counted than there is");
    pthread_mutex_unlock(&mutex);
}

static void *record_start(void *unused) {
    record();
    return unused;
}

static void *record_samples(void *unused) {
    memset(samples, 0, sizeof samples);
    record();
    return unused;
}

int main(void) {
    pthread_t first, second;
    pthread_create(&first, NULL, record_start, NULL);
    pthread_create(&second, NULL, record_samples, NULL);
    pthread_join(first, NULL);
    pthread_join(second, NULL);
    return 0;
}
