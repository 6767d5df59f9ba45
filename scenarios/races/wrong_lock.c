/* SPDX-License-Identifier: MIT */
/* wrong_lock.c - one of two threads changes a balance under the lock of something else.
 *
 * Mechanism: a lock excludes only those who take the same one. The fee is booked while the audit
 * trail's lock is held anyway, so the line looks guarded; deposits hold the balance's own.
 */
#include "races/case.h"

#define BOOKINGS 500
#define DEPOSIT_CENTS 7
#define FEE_CENTS 2

static struct lock balance_lock = LOCK_INITIALIZER;
static struct lock audit_lock = LOCK_INITIALIZER;
static long balance_cents GUARDED_BY(balance_lock);
static long audited GUARDED_BY(audit_lock);

static void *deposit(void *unused) {
    for (int i = 0; i < BOOKINGS; i++) {
        lock_acquire(&balance_lock);
        balance_cents += DEPOSIT_CENTS; /* RACE a */
        lock_release(&balance_lock);
    }
    return unused;
}

static void *charge_fees(void *unused) {
    for (int i = 0; i < BOOKINGS; i++) {
        lock_acquire(&audit_lock);
        audited++;
#if BUG
        balance_cents -= FEE_CENTS; /* RACE b */
#endif
        lock_release(&audit_lock);
#if !BUG
        lock_acquire(&balance_lock);
        balance_cents -= FEE_CENTS;
        lock_release(&balance_lock);
#endif
    }
    return unused;
}

int main(void) {
    pthread_t depositor, charger;
    pthread_create(&depositor, NULL, deposit, NULL);
    pthread_create(&charger, NULL, charge_fees, NULL);
    pthread_join(depositor, NULL);
    pthread_join(charger, NULL);
    lock_acquire(&balance_lock);
    oracle(balance_cents == BOOKINGS * (DEPOSIT_CENTS - FEE_CENTS), "a booking was lost");
    lock_release(&balance_lock);
    lock_acquire(&audit_lock);
    oracle(audited == BOOKINGS, "an entry of the audit trail was lost");
    lock_release(&audit_lock);
    return 0;
}
