/* SPDX-License-Identifier: MIT */
/* dataplane_ring.h - a bounded ring of parcels that any thread fills and empties (ck_ring).
 *
 * Puts take turns under a lock. ck_ring's own put by many threads has them queue, spinning, in the
 * order in which they came: where there are more threads than processors, one that is not running
 * holds up all others, and from then on each put costs a switch of threads. A get never waits. What
 * was put before a get is ordered before what follows it.
 */
#ifndef TAILRACE_SCENARIOS_DATAPLANE_RING_H
#define TAILRACE_SCENARIOS_DATAPLANE_RING_H

#include "memory/scenario.h"
#include "memory/tsan.h"

#include <ck_ring.h>

CK_RING_PROTOTYPE(parcel, mem_parcel)

struct ring {
    struct ck_ring ring;
    pthread_mutex_t puts;
    struct mem_parcel *parcels; /* state memory */
};

/* For at least so many parcels: the number of places is a power of two, one of them unused. */
static inline void ring_make(struct ring *ring, uint32_t parcels) {
    unsigned places = 2;
    while (places <= parcels)
        places *= 2;
    ring->parcels = mem_state_new(places * sizeof *ring->parcels);
    pthread_mutex_init(&ring->puts, NULL);
    ck_ring_init(&ring->ring, places);
}
static inline void ring_free(struct ring *ring) {
    pthread_mutex_destroy(&ring->puts);
    mem_state_free(ring->parcels);
}

/* False where the ring is full. */
static inline bool ring_put(mem_thread *t, struct ring *ring, struct mem_parcel parcel) {
    scenario_lock(t, &ring->puts);
    TSAN_RELEASE(ring);
    TSAN_IGNORE_BEGIN();
    bool put = CK_RING_ENQUEUE_SPMC(parcel, &ring->ring, ring->parcels, &parcel);
    TSAN_IGNORE_END();
    pthread_mutex_unlock(&ring->puts);
    return put;
}

/* The oldest parcel; false where there is none. */
static inline bool ring_get(struct ring *ring, struct mem_parcel *parcel) {
    if (!CK_RING_DEQUEUE_SPMC(parcel, &ring->ring, ring->parcels, parcel))
        return false;
    TSAN_ACQUIRE(ring);
    return true;
}

#endif
