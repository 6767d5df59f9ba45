/* SPDX-License-Identifier: MIT */
/* strategy_concurrent.h - a precise collector beside the program: marks a snapshot, sweeps, on its
 * own thread.
 *
 * Snapshot at the beginning (Yuasa, "Real-time garbage collection on general-purpose machines",
 * 1990), in one colour a cycle (gc_heap.h). The invariants:
 *
 * 1. Snapshot. The first stop flips the colour, switches the barrier on (gc_marking), takes over
 * the threads' logs of roots and marks what they read from slots. What was reachable then, by owned
 *    edges from objects with roots, gets marked in this cycle.
 * 2. Black allocation. An object that is made after the stop has the new colour from its first
 *    moment, and is not followed: each reference in it is one that its maker held, so (1) or (2)
 * holds for what it refers to.
 * 3. Deletion barrier. A reference that an edge loses (set, take, swap) or a thread (the last root:
 *    drop, and set or swap that consume it) is logged unless the object is marked. So a path of the
 *    snapshot that the program cuts before the marker comes by is followed from where it was cut:
 * no object is white whose only way from the snapshot was cut (the weak tri-colour invariant,
 * Pirinen 1998). This is also why roots need not be gone through in the stop: one that is a root no
 * more when the marker gets to it was logged.
 * 4. End. The second stop finds that nothing is left to be looked at and no log has an unread
 * entry; else the world goes on and marking as well, and it is tried again. It ends, as each round
 * marks an object of the snapshot and there are no more than these.
 * 5. Sweep. What then has the other colour was unreachable at the first stop, so nobody can come by
 * it. An object loaded from a slot lives: it was in the snapshot or is new, and its reader reaches
 * no safepoint before it has put it into its list of reads.
 *
 * Which atomic pairs with which: gc_heap.h (mark bytes), gc_world.h (stops, roots), gc_mark.h
 * (edges), gc_log_barrier.h (logs). gc_marking and gc_colour are written while the world is
 * stopped.
 *
 * Pace: marking begins so early that it should end when growth percent of the live bytes were
 * allocated. A program that allocates faster pays: beyond half of what is left each safepoint marks
 * for the blocks that its thread took, and at twice the headroom it waits for the cycle's end, in
 * block.
 */
#include "memory/gc_log_barrier.h"

#include "memory/gc_mark.h"
#include "memory/gc_pace.h"

#define GC_PAY_OBJECTS 4096 /* to be marked for a block that was taken */
#define GC_PAY_SLICE 128    /* objects between two looks at whether the world is to stop */
#define GC_PAY_BLOCKS_MAX 4 /* paid for at one safepoint */
#define GC_STACK_BYTES (256 << 10)

static struct {
    pthread_t thread;
    pthread_cond_t wanted, ended; /* of gc_heap.lock */
    bool wants_cycle, quits;
    size_t begin_at_bytes; /* allocated, when marking is to begin */
} gc_collector = {.wanted = PTHREAD_COND_INITIALIZER, .ended = PTHREAD_COND_INITIALIZER};

static void gc_allocated(void) {
    if (gc_heap.allocated_bytes < gc_collector.begin_at_bytes)
        return;
    if (!gc_collector.wants_cycle) {
        gc_collector.wants_cycle = true;
        pthread_cond_signal(&gc_collector.wanted);
    }
    if (gc_heap.allocated_bytes > gc_collector.begin_at_bytes / 2 + gc_headroom_bytes / 2)
        /* relaxed: a hint */
        atomic_fetch_or_explicit(&gc_attention, GC_PAY, memory_order_relaxed);
}

/* Has everything marked that was logged, under gc_world.lock; true if something was. */
static bool gc_read_logs(struct gc_marker *m) {
    bool found = false;
    for (mem_thread *t = gc_world.threads;; t = t->next) {
        struct gc_barrier *barrier = t ? &t->barrier : &gc_left;
        for (void *object; (object = gc_barrier_read(barrier));)
            if (!gc_is_marked(object)) {
                gc_push(m, object, gc_header_of(object)->type);
                found = true;
            }
        if (!t)
            return found;
    }
}

/* The first stop. */
static void gc_begin_marking(struct gc_marker *m) {
    uint64_t begin_ns = clock_now_ns();
    gc_stop_world();
    gc_colour = 3 - gc_colour;
    gc_marking = true;
    gc_roots_take(m);
    gc_start_world();
    host_interval(MEM_CAUSE_COLLECTOR_PAUSE, begin_ns, clock_now_ns());
}

/* Marks what logs have, until they seem to have nothing; then a stop tells. True if marking has
 * ended. */
static bool gc_end_marking(struct gc_marker *m) {
    bool found = true;
    while (found) {
        pthread_mutex_lock(&gc_world.lock);
        found = gc_read_logs(m);
        pthread_mutex_unlock(&gc_world.lock);
        gc_mark(m, UINT64_MAX);
    }
    uint64_t begin_ns = clock_now_ns();
    gc_stop_world(); /* nobody else marks now */
    gc_marking = gc_read_logs(m) || gc_work.full;
    gc_start_world();
    host_interval(MEM_CAUSE_COLLECTOR_PAUSE, begin_ns, clock_now_ns());
    return !gc_marking;
}

/* Under gc_heap.lock, after a cycle in which so much was allocated: the next begins early enough to
 * end in time if it takes twice that, but not in the first or last eighth. */
static void gc_plan(size_t during_bytes) {
    gc_set_headroom();
    size_t least = gc_headroom_bytes / 8, at = least;
    if (2 * during_bytes + least < gc_headroom_bytes)
        at = gc_headroom_bytes - 2 * during_bytes;
    gc_collector.begin_at_bytes = at < gc_headroom_bytes - least ? at : gc_headroom_bytes - least;
}

static void gc_cycle(void) {
    struct gc_marker marker;
    gc_marker_begin(&marker);
    size_t allocated_bytes = gc_heap.allocated_bytes;
    pthread_mutex_unlock(&gc_heap.lock);
    gc_begin_marking(&marker);
    gc_roots_mark(&marker);
    while (!gc_end_marking(&marker))
        gc_mark(&marker, UINT64_MAX);
    gc_marker_end(&marker);
    pthread_mutex_lock(&gc_heap.lock);
    gc_sweep_begin(gc_headroom_bytes);
    pthread_mutex_unlock(&gc_heap.lock);
    gc_sweep_all();
    pthread_mutex_lock(&gc_heap.lock);
    gc_plan(gc_heap.allocated_bytes - allocated_bytes);
    gc_heap.allocated_bytes = 0;
    gc_collector.wants_cycle = false;
    atomic_fetch_and_explicit(&gc_attention, ~(uint32_t)GC_PAY, memory_order_relaxed);
    pthread_cond_broadcast(&gc_collector.ended);
}

static void *gc_collector_main(void *unused) {
    pthread_mutex_lock(&gc_heap.lock);
    while (!gc_collector.quits)
        if (gc_collector.wants_cycle)
            gc_cycle();
        else
            pthread_cond_wait(&gc_collector.wanted, &gc_heap.lock);
    pthread_mutex_unlock(&gc_heap.lock);
    return unused;
}

/* Waits, in block, where twice the headroom was allocated before the cycle has ended. True if it
 * had to. */
static bool gc_wait_for_cycle(mem_thread *t) {
    bool waited = false;
    mem_block(t);
    pthread_mutex_lock(&gc_heap.lock);
    for (; gc_collector.wants_cycle && gc_heap.allocated_bytes > 2 * gc_headroom_bytes;
         waited = true)
        pthread_cond_wait(&gc_collector.ended, &gc_heap.lock);
    pthread_mutex_unlock(&gc_heap.lock);
    mem_unblock(t);
    return waited;
}

/* Marks a share of what is left, for the blocks that the thread took, unless the world is to stop.
 */
static bool gc_pay(mem_thread *t) {
    struct gc_marker marker;
    uint32_t blocks = t->share.taken < GC_PAY_BLOCKS_MAX ? t->share.taken : GC_PAY_BLOCKS_MAX;
    if (!gc_marking)
        return false;
    gc_marker_begin(&marker);
    uint64_t marked = 0, owed = blocks * (uint64_t)GC_PAY_OBJECTS, slice;
    do { /* relaxed: a stop that is seen late waits for a slice more */
        slice = gc_mark(&marker, GC_PAY_SLICE);
        marked += slice;
    } while (slice >= GC_PAY_SLICE && marked < owed &&
             !(atomic_load_explicit(&gc_attention, memory_order_relaxed) & GC_STOP));
    gc_marker_end(&marker);
    return marked > 0;
}

static __attribute__((noinline)) void gc_attend(mem_thread *t) {
    if (atomic_load_explicit(&gc_attention, memory_order_relaxed) & GC_STOP) {
        gc_wait_to_run(t);
        return;
    }
    if (t->share.taken == 0)
        return;
    uint64_t begin_ns = clock_now_ns();
    bool paid = gc_pay(t), waited = gc_wait_for_cycle(t);
    t->share.taken = 0;
    if (paid || waited)
        host_interval(MEM_CAUSE_ASSIST, begin_ns, clock_now_ns());
}

static void mem_init(void) {
    pthread_attr_t attributes;
    gc_heap_init();
    gc_pace_init();
    gc_barrier_join(&gc_left);
    gc_plan(0);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, GC_STACK_BYTES);
    if (pthread_create(&gc_collector.thread, &attributes, gc_collector_main, NULL) != 0)
        host_out_of_memory(GC_STACK_BYTES);
    pthread_attr_destroy(&attributes);
}
static void mem_fini(void) {
    pthread_mutex_lock(&gc_heap.lock);
    gc_collector.wants_cycle = false;
    gc_collector.quits = true;
    pthread_cond_signal(&gc_collector.wanted);
    pthread_mutex_unlock(&gc_heap.lock);
    pthread_join(gc_collector.thread, NULL);
}

#include "memory/gc_objects.h"
