/* SPDX-License-Identifier: MIT */
/* atomicity_violation_locked.c - the balance is checked under the lock, and changed under it again.
 *
 * Mechanism: every access is locked, so there is no data race; but between the two critical
 * sections another may withdraw, and what was checked no longer holds.
 */
#include "races/case.h"

#include <string.h>

static struct lock guard = LOCK_INITIALIZER;
static int balance GUARDED_BY(guard) = 100;
static char statement[4 << 20];

static void withdraw(int amount) {
    lock_acquire(&guard);
    const bool enough = balance >= amount;
#if BUG
    lock_release(&guard);
    if (!enough)
        return;
    lock_acquire(&guard);
    balance -= amount;
#else
    if (enough)
        balance -= amount;
#endif
    oracle(balance >= 0, "more was withdrawn than there was"); /* FAULT a */
    lock_release(&guard);
}

static void *pay_at_once(void *unused) {
    withdraw(80);
    return unused;
}

static void *pay_by_statement(void *unused) {
    memset(statement, ' ', sizeof statement);
    withdraw(70);
    return unused;
}

int main(void) {
    pthread_t first, second;
    pthread_create(&first, NULL, pay_at_once, NULL);
    pthread_create(&second, NULL, pay_by_statement, NULL);
    pthread_join(first, NULL);
    pthread_join(second, NULL);
    return 0;
}
