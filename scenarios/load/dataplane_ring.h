/* SPDX-License-Identifier: MIT */
/* dataplane_ring.h - a bounded ring of parcels that any thread fills and empties (ck_ring).
 *
 * A put waits for puts that began before it, for the few instructions that these need; no collector
 * and no lock is involved, so that what it waits for always comes. A get never waits. What was put
 * before a get is ordered before what follows it.
 */
#ifndef TAILRACE_SCENARIOS_DATAPLANE_RING_H
#define TAILRACE_SCENARIOS_DATAPLANE_RING_H

#include "memory/scenario.h"
#include "memory/tsan.h"

#include <ck_ring.h>

CK_RING_PROTOTYPE(parcel, mem_parcel)

struct ring {
    struct ck_ring ring;
    struct mem_parcel *parcels; /* state memory */
};

/* For at least so many parcels: the number of places is a power of two, one of them unused. */
static inline void ring_make(struct ring *ring, uint32_t parcels) {
    unsigned places = 2;
    while (places <= parcels)
        places *= 2;
    ring->parcels = mem_state_new(places * sizeof *ring->parcels);
    ck_ring_init(&ring->ring, places);
}
static inline void ring_free(struct ring *ring) {
    mem_state_free(ring->parcels);
}

/* False where the ring is full. */
static inline bool ring_put(struct ring *ring, struct mem_parcel parcel) {
    TSAN_RELEASE(ring);
    TSAN_IGNORE_BEGIN();
    bool put = CK_RING_ENQUEUE_MPMC(parcel, &ring->ring, ring->parcels, &parcel);
    TSAN_IGNORE_END();
    return put;
}

/* The oldest parcel; false where there is none. */
static inline bool ring_get(struct ring *ring, struct mem_parcel *parcel) {
    if (!CK_RING_DEQUEUE_MPMC(parcel, &ring->ring, ring->parcels, parcel))
        return false;
    TSAN_ACQUIRE(ring);
    return true;
}

#endif
