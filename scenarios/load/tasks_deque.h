/* SPDX-License-Identifier: MIT */
/* tasks_deque.h - a bounded work-stealing deque of parcels, without locks.
 *
 * After Chase and Lev, in the form that Lê, Pop, Cohen and Nardelli give it for C11 (Correct and
 * Efficient Work-Stealing for Weak Memory Models, 2013), with sequentially consistent accesses in
 * place of their fences, which ThreadSanitizer does not know. It lies in state memory, zeroed.
 *
 *   push, pop | the owner only, one at a time; newest first
 *   steal     | anybody; oldest first; may fail where another thread takes the same one
 *   a place   | is written again only when `top` has passed it, so that a thief that read half of
 *             | an old parcel and half of a new one fails to move `top`
 */
#ifndef TAILRACE_SCENARIOS_TASKS_DEQUE_H
#define TAILRACE_SCENARIOS_TASKS_DEQUE_H

#include "memory/scenario.h"

#define DEQUE_PARCELS_MAX 256 /* a power of two */

struct deque {
    _Atomic int64_t top;
    char apart[64]; /* thieves' end and owner's end share no cache line */
    _Atomic int64_t bottom;
    mem_parcel parcels[DEQUE_PARCELS_MAX]; /* members accessed relaxed: top and bottom order them */
};

static inline mem_parcel deque_read(const struct deque *d, int64_t at) {
    const mem_parcel *place = &d->parcels[at & (DEQUE_PARCELS_MAX - 1)];
    return (mem_parcel){.scope = __atomic_load_n(&place->scope, __ATOMIC_RELAXED),
                        .object = __atomic_load_n(&place->object, __ATOMIC_RELAXED)};
}

static inline void deque_push(struct deque *d, mem_parcel parcel) {
    int64_t bottom = atomic_load_explicit(&d->bottom, memory_order_relaxed);
    mem_parcel *place = &d->parcels[bottom & (DEQUE_PARCELS_MAX - 1)];
    /* acquire: pairs with the compare-and-exchange of who stole what was in this place */
    if (bottom - atomic_load_explicit(&d->top, memory_order_acquire) >= DEQUE_PARCELS_MAX)
        host_violation("tasks: a deque holds more than its limit");
    __atomic_store_n(&place->scope, parcel.scope, __ATOMIC_RELAXED);
    __atomic_store_n(&place->object, parcel.object, __ATOMIC_RELAXED);
    /* seq_cst: its release pairs with the load in deque_steal; and comes before the pusher looks
     * for sleepers */
    atomic_store_explicit(&d->bottom, bottom + 1, memory_order_seq_cst);
}

static inline bool deque_pop(struct deque *d, mem_parcel *parcel) {
    int64_t bottom = atomic_load_explicit(&d->bottom, memory_order_relaxed) - 1;
    /* seq_cst, both: pair with the loads in deque_steal, of which one sees the other's end */
    atomic_store_explicit(&d->bottom, bottom, memory_order_seq_cst);
    int64_t top = atomic_load_explicit(&d->top, memory_order_seq_cst);
    bool found = top <= bottom;
    if (found)
        *parcel = deque_read(d, bottom);
    if (top == bottom) /* the last one: seq_cst, pairs with the same in deque_steal */
        found = atomic_compare_exchange_strong_explicit(&d->top, &top, top + 1,
                                                        memory_order_seq_cst, memory_order_relaxed);
    if (top >= bottom) /* release: pairs with the load in deque_steal */
        atomic_store_explicit(&d->bottom, bottom + 1, memory_order_release);
    return found;
}

static inline bool deque_steal(struct deque *d, mem_parcel *parcel) {
    /* seq_cst, all: pair with those of deque_pop; the second with deque_push's store too */
    int64_t top = atomic_load_explicit(&d->top, memory_order_seq_cst);
    if (top >= atomic_load_explicit(&d->bottom, memory_order_seq_cst))
        return false;
    *parcel = deque_read(d, top);
    return atomic_compare_exchange_strong_explicit(&d->top, &top, top + 1, memory_order_seq_cst,
                                                   memory_order_relaxed);
}

/* seq_cst: pairs with the store in deque_push. */
static inline bool deque_has_any(struct deque *d) {
    return atomic_load_explicit(&d->top, memory_order_seq_cst) <
           atomic_load_explicit(&d->bottom, memory_order_seq_cst);
}

#endif
