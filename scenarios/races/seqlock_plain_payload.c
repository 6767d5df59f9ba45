/* SPDX-License-Identifier: MIT */
/* seqlock_plain_payload.c - a sequence lock whose number is atomic and whose payload is not.
 *
 * Mechanism: a reader of a sequence lock reads while the writer writes, and throws away what it got
 * then; so the payload itself must be atomic. Plain accesses are a data race even if thrown away,
 * and may be moved out of the bracket of the two looks at the number. Valgrind, which does not know
 * C11's atomics, reports the right program too.
 */
#include "races/case.h"

#include <sched.h>
#include <stdatomic.h>

#define FRAMES 200
#define PARKED 0
#define APART 1000

static atomic_bool is_done;
static atomic_uint sequence;
#if BUG
static long left, right = APART;
#else
static atomic_long left, right = APART;
#endif

static void write_position(long position) {
    unsigned before = atomic_load_explicit(&sequence, memory_order_relaxed);
    atomic_store_explicit(&sequence, before + 1, memory_order_relaxed);
#if BUG
    left = position;          /* RACE a */
    right = position + APART; /* RACE b */
#else
    /* Release: pairs with the payload's acquires in read_once, which then finds an odd number. */
    atomic_store_explicit(&left, position, memory_order_release);
    atomic_store_explicit(&right, position + APART, memory_order_release);
#endif
    /* Release: pairs with the acquire of the first look in read_once. */
    atomic_store_explicit(&sequence, before + 2, memory_order_release);
}

/* False where a writer came between. */
static bool read_once(long *left_out, long *right_out) {
    /* Acquire: pairs with the last release in write_position. */
    unsigned before = atomic_load_explicit(&sequence, memory_order_acquire);
#if BUG
    *left_out = left;   /* RACE c */
    *right_out = right; /* RACE d */
#else
    /* Acquire: pairs with the releases of the payload in write_position. */
    *left_out = atomic_load_explicit(&left, memory_order_acquire);
    *right_out = atomic_load_explicit(&right, memory_order_acquire);
#endif
    unsigned after = atomic_load_explicit(&sequence, memory_order_relaxed);
    return before % 2 == 0 && before == after;
}

static void *draw(void *unused) {
    for (int frame = 0; frame < FRAMES; frame++) {
        long seen_left, seen_right;
        while (!read_once(&seen_left, &seen_right))
            sched_yield();
        oracle(seen_right == seen_left + APART, "two halves of different updates were read");
    }
    atomic_store_explicit(&is_done, true, memory_order_relaxed);
    return unused;
}

int main(void) {
    pthread_t drawer;
    pthread_create(&drawer, NULL, draw, NULL);
    for (long position = 1; !atomic_load_explicit(&is_done, memory_order_relaxed); position++) {
        write_position(position);
        sched_yield();
    }
    write_position(PARKED);
    pthread_join(drawer, NULL);
    return 0;
}
