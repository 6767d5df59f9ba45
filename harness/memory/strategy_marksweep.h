/* SPDX-License-Identifier: MIT */
/* strategy_marksweep.h - a precise collector that stops the world: marks from typed edges, sweeps
 * lazily.
 *
 * Once as much was allocated as was live after the last cycle (times growth / 100), the next thread
 * at a safepoint stops the world and marks alone. Blocks are swept afterwards, by threads that need
 * cells. The cost of a pause is that of what is live (McCarthy 1960; Jones, Hosking, Moss, "The
 * Garbage Collection Handbook", 2-3).
 */
#include "memory/gc_no_barrier.h"

#include "memory/gc_mark.h"
#include "memory/gc_pace.h"

/* What is live is known once all is swept. */
static void gc_allocated(void) {
    if (gc_headroom_bytes == 0 && gc_heap.sweep_at >= gc_heap.sweep_end)
        gc_set_headroom();
    if (gc_headroom_bytes > 0 && gc_heap.allocated_bytes >= gc_headroom_bytes)
        /* relaxed: a hint */
        atomic_fetch_or_explicit(&gc_attention, GC_COLLECT, memory_order_relaxed);
}

/* While the world is stopped. */
static void gc_collect(void) {
    struct gc_marker marker;
    gc_sweep_all();
    size_t live_bytes = gc_heap.live_bytes;
    gc_colour = 3 - gc_colour;
    gc_marker_begin(&marker);
    gc_roots_take(&marker);
    gc_roots_mark(&marker);
    if (!gc_marker_end(&marker))
        host_violation("marksweep: something was left to be marked");
    pthread_mutex_lock(&gc_heap.lock);
    gc_sweep_begin(live_bytes / 100 * gc_growth_percent + gc_headroom_bytes_min);
    gc_heap.allocated_bytes = gc_headroom_bytes = 0;
    atomic_fetch_and_explicit(&gc_attention, ~(uint32_t)GC_COLLECT, memory_order_relaxed);
    pthread_mutex_unlock(&gc_heap.lock);
}

static __attribute__((noinline)) void gc_attend(mem_thread *t) {
    uint64_t begin_ns = clock_now_ns();
    if (atomic_load_explicit(&gc_attention, memory_order_relaxed) & GC_STOP) {
        gc_wait_to_run(t);
        return;
    }
    mem_block(t);
    gc_stop_world();
    if (atomic_load_explicit(&gc_attention, memory_order_relaxed) & GC_COLLECT) {
        gc_collect();
        host_interval(MEM_CAUSE_COLLECTOR_PAUSE, begin_ns, clock_now_ns());
    }
    gc_start_world();
    mem_unblock(t);
}

static void mem_init(void) {
    gc_heap_init();
    gc_pace_init();
}
static void mem_fini(void) {
    gc_stop_world();
    gc_collect();
    gc_start_world();
    gc_heap.keep_free_bytes = 0;
    gc_sweep_all();
}

#include "memory/gc_objects.h"
