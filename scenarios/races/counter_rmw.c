/* SPDX-License-Identifier: MIT */
/* counter_rmw.c - two threads add to one counter, one update in a while without the lock.
 *
 * Mechanism: a read-modify-write is three steps; whoever comes between them loses an update. The
 * lock is held for every update but those of the slow path.
 */
#include "races/case.h"

#define UPDATES 500
#define SLOW_EVERY 50

static struct lock guard = LOCK_INITIALIZER;
static long counter GUARDED_BY(guard);

static void *count(void *unused) {
    for (int i = 1; i <= UPDATES; i++) {
#if BUG
        if (i % SLOW_EVERY == 0) {
            counter++; /* RACE a */
            continue;
        }
#endif
        lock_acquire(&guard);
        counter++; /* RACE b */
        lock_release(&guard);
    }
    return unused;
}

int main(void) {
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, count, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    lock_acquire(&guard);
    oracle(counter == 2 * UPDATES, "updates were lost");
    lock_release(&guard);
    return 0;
}
