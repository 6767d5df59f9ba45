/* SPDX-License-Identifier: MIT */
/* gc_no_barrier.h - the write barrier of a collector that marks while the world is stopped: none.
 */
#include "memory/gc_heap.h"

struct gc_barrier {
    char unused;
};
static void gc_barrier_join(struct gc_barrier *barrier) {
    (void)barrier;
}
static void gc_barrier_leave(struct gc_barrier *barrier) {
    (void)barrier;
}
MEM_INLINE void gc_overwritten(struct gc_barrier *barrier, const void *object) {
    (void)barrier, (void)object;
}
