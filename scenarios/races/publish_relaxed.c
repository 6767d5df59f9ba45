/* SPDX-License-Identifier: MIT */
/* publish_relaxed.c - a pointer to fresh data is published and read with memory_order_relaxed.
 *
 * Mechanism: a relaxed store makes the pointer whole, not what it points to: nothing orders the
 * allocating and filling before the reading. On x86 the wrong and the right program are the same
 * instructions, so Valgrind cannot tell them apart: it reports both.
 */
#include "races/case.h"

#include <sched.h>
#include <stdatomic.h>

#if BUG
#define STORE_ORDER memory_order_relaxed
#define LOAD_ORDER memory_order_relaxed
#else
#define STORE_ORDER memory_order_release
#define LOAD_ORDER memory_order_acquire
#endif

struct reading {
    long celsius;
    long humidity;
};

static struct reading *_Atomic latest;

static void *measure(void *unused) {
    struct reading *fresh = malloc(sizeof(*fresh)); /* RACE e */
    if (fresh == NULL)
        abort();
    fresh->celsius = 21;  /* RACE a */
    fresh->humidity = 40; /* RACE b */
    /* Release (in the right program): pairs with the acquire in await_reading. */
    atomic_store_explicit(&latest, fresh, STORE_ORDER);
    return unused;
}

static struct reading *await_reading(void) {
    for (;;) {
        /* Acquire (in the right program): pairs with the release in measure. */
        struct reading *reading = atomic_load_explicit(&latest, LOAD_ORDER);
        if (reading != NULL)
            return reading;
        sched_yield();
    }
}

int main(void) {
    pthread_t sensor;
    pthread_create(&sensor, NULL, measure, NULL);
    struct reading *reading = await_reading();
    long celsius = reading->celsius;   /* RACE c */
    long humidity = reading->humidity; /* RACE d */
    pthread_join(sensor, NULL);
    oracle(celsius == 21 && humidity == 40, "a reading was published before it was filled");
    free(reading);
    return 0;
}
