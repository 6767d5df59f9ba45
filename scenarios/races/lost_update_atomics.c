/* SPDX-License-Identifier: MIT */
/* lost_update_atomics.c - two threads add to an atomic total by a load and a store.
 *
 * Mechanism: each access is atomic, the addition is not: what is added between the load and the
 * store is overwritten. No detector of data races has anything to say.
 */
#include "races/case.h"

#include <stdatomic.h>
#include <string.h>

static atomic_int total;
static char samples[4 << 20];

static void add(int amount) {
#if BUG
    const int seen = atomic_load_explicit(&total, memory_order_relaxed);
    atomic_store_explicit(&total, seen + amount, memory_order_relaxed);
#else
    atomic_fetch_add_explicit(&total, amount, memory_order_relaxed);
#endif
}

static void *add_one(void *unused) {
    add(1);
    return unused;
}

static void *add_samples(void *unused) {
    memset(samples, 1, sizeof samples);
    add(samples[0]);
    add(samples[1]);
    return unused;
}

int main(void) {
    pthread_t one, many;
    pthread_create(&one, NULL, add_one, NULL);
    pthread_create(&many, NULL, add_samples, NULL);
    pthread_join(one, NULL);
    pthread_join(many, NULL);
    const int sum = atomic_load_explicit(&total, memory_order_relaxed);
    oracle(sum == 3, "an addition was lost"); /* FAULT a */
    return 0;
}
