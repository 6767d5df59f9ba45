/* SPDX-License-Identifier: MIT */
/* gc_log_barrier.h - the write barrier of a collector that marks from a snapshot: logs what is
 * lost.
 *
 * While gc_marking, a reference that an edge, a slot or the roots lose is logged by its thread
 * unless the object is marked (Yuasa 1990): so each object that was reachable when marking began
 * gets marked, whatever is done to the edges. A log is a chain of chunks, written by its thread and
 * read by the collector at any time; a full chunk is followed by a new one, and the collector frees
 * those that it has read, so a log is as long as what the collector has not seen yet.
 *
 *   gc_marking | written while the world is stopped
 *   count      | its thread's, release, after the entry: pairs with the collector's acquire
 *   next       | its thread's, release: pairs with the collector's acquire
 *   read       | the collector's
 */
#include "memory/gc_heap.h"

#include <stdlib.h>

#define GC_CHUNK_ENTRIES 1021

struct gc_chunk {
    _Atomic(struct gc_chunk *) next;
    _Atomic size_t count;
    size_t read;
    void *objects[GC_CHUNK_ENTRIES];
};
struct gc_barrier {
    struct gc_chunk *writing; /* its thread's */
    struct gc_chunk *reading; /* the collector's, under gc_world.lock: where the chain begins */
};
static bool gc_marking;
static struct gc_barrier gc_left; /* of threads that have detached, under gc_world.lock */

static void gc_barrier_join(struct gc_barrier *barrier) {
    barrier->writing = barrier->reading = calloc(1, sizeof *barrier->writing);
    if (!barrier->writing)
        host_out_of_memory(sizeof *barrier->writing);
}

static __attribute__((noinline)) void gc_barrier_log(struct gc_barrier *barrier, void *object) {
    struct gc_chunk *chunk = barrier->writing;
    size_t count = atomic_load_explicit(&chunk->count, memory_order_relaxed);
    if (count == GC_CHUNK_ENTRIES) {
        struct gc_chunk *next = calloc(1, sizeof *next);
        if (!next)
            host_out_of_memory(sizeof *next);
        /* release: pairs with the acquire in gc_barrier_read */
        atomic_store_explicit(&chunk->next, next, memory_order_release);
        barrier->writing = chunk = next;
        count = 0;
    }
    chunk->objects[count] = object;
    /* release: pairs with the acquire in gc_barrier_read */
    atomic_store_explicit(&chunk->count, count + 1, memory_order_release);
}

/* By whoever loses a reference to an object (or NULL). */
MEM_INLINE void gc_overwritten(struct gc_barrier *barrier, void *object) {
    if (!MEM_LIKELY(!gc_marking) && object && !gc_is_marked(object))
        gc_barrier_log(barrier, object);
}

/* Under gc_world.lock, by the thread itself: what it logged is left to the collector. */
static void gc_barrier_leave(struct gc_barrier *barrier) {
    /* release: pairs with the acquire in gc_barrier_read */
    atomic_store_explicit(&gc_left.writing->next, barrier->reading, memory_order_release);
    gc_left.writing = barrier->writing;
}

/* Under gc_world.lock, by the collector: the next logged object, or NULL. What precedes another
 * chunk has its last count. */
static void *gc_barrier_read(struct gc_barrier *barrier) {
    for (;;) {
        struct gc_chunk *chunk = barrier->reading;
        /* acquire, both: pair with the releases in gc_barrier_log and gc_barrier_leave */
        struct gc_chunk *next = atomic_load_explicit(&chunk->next, memory_order_acquire);
        if (chunk->read < atomic_load_explicit(&chunk->count, memory_order_acquire))
            return chunk->objects[chunk->read++];
        if (!next)
            return NULL;
        barrier->reading = next;
        free(chunk);
    }
}
