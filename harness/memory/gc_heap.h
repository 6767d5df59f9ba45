/* SPDX-License-Identifier: MIT */
/* gc_heap.h - the heap of our own collectors: cells in blocks or, in passthrough mode (guard.h), a
 * malloc of its own for each object.
 *
 * Both give gc_heap with lock, live_bytes, allocated_bytes, keep_free_bytes, sweep_at and
 * sweep_end, and
 *
 *   gc_heap_init(), gc_room_bytes()
 *   gc_take(share, bytes)                 | room for header and object, marked; NULL: no memory
 *   gc_fits(old bytes, new bytes)         | whether the room of the one holds the other
 *   gc_share_leave(share)                 | by a thread that detaches
 *   gc_mark_of(object)                    | its mark byte
 *   gc_sweep_begin(bytes), gc_sweep_all() | under the lock; without it
 */
#include "memory/guard.h"

#include <pthread.h>

#define GC_HEADER_BYTES 8 /* gc_world.h */

static uint8_t gc_colour = 1;
static void gc_allocated(void); /* the strategy's: told under gc_heap.lock that room was taken */

#if GUARD_OWN_BLOCKS
#include "memory/gc_heap_mallocs.h"
#else
#include "memory/gc_heap_cells.h"
#include "memory/gc_take_cells.h"
#endif

MEM_INLINE bool gc_is_marked(const void *object) {
    return atomic_load_explicit(gc_mark_of(object), memory_order_relaxed) == gc_colour;
}
