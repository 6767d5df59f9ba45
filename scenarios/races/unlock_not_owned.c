/* SPDX-License-Identifier: MIT */
/* unlock_not_owned.c - an error path unlocks, and goes on to where all paths unlock.
 *
 * Mechanism: the second unlock is of a mutex that the thread no longer owns; it would open one that
 * another thread has locked in the meantime.
 */
#include "races/case.h"

static struct lock guard = LOCK_INITIALIZER;
static int stock GUARDED_BY(guard) = 1;

static bool sell(int pieces) {
    bool sold = false;
    lock_acquire(&guard);
    if (stock < pieces) {
#if BUG
        lock_release(&guard);
#endif
        goto end;
    }
    stock -= pieces;
    sold = true;
end:
    lock_release(&guard); /* FAULT a */
    return sold;
}

static void *customer(void *unused) {
    oracle(!sell(2), "more was sold than there was");
    return unused;
}

int main(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, customer, NULL);
    pthread_join(thread, NULL);
    return 0;
}
