/* SPDX-License-Identifier: MIT */
/* self_relock.c - a function that holds the lock calls another that takes it.
 *
 * Mechanism: pthread's mutexes are not recursive unless they are made so; the thread waits for
 * itself.
 */
#include "races/case.h"

static struct lock guard = LOCK_INITIALIZER;
static int balance GUARDED_BY(guard) = 10;

static int balance_read(void) TS(locks_excluded(guard)) {
    lock_acquire(&guard); /* FAULT a */
    const int seen = balance;
    lock_release(&guard);
    return seen;
}

static bool withdraw(int amount) TS(locks_excluded(guard)) {
    lock_acquire(&guard);
#if BUG
    const bool enough = balance_read() >= amount; /* FAULT b */
#else
    const bool enough = balance >= amount;
#endif
    if (enough)
        balance -= amount;
    lock_release(&guard);
    return enough;
}

int main(void) {
    oracle(withdraw(4), "the balance was enough");
    oracle(balance_read() == 6, "the balance is wrong");
    return 0;
}
