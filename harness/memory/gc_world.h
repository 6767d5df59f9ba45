/* SPDX-License-Identifier: MIT */
/* gc_world.h - the threads that our own collectors know: how they are stopped, and their roots.
 *
 * A thread runs, or is parked: in block, or at a safepoint where it waits. Whoever stops the world
 * holds gc_world.lock throughout, so that nobody joins, leaves or stops it again meanwhile.
 *
 * Roots are owned references. An object's header counts those that threads and state memory hold
 * (edges are not counted), and the thread that makes the count leave 0 notes the object in its log
 * of roots, unless some log has it, which the lowest bit tells. So every root is in a log; an entry
 * is forgotten when the collector meets it with a count of 0. An object in a log outlives the
 * cycle: if its count was not 0 at the stop it is a root, else it was made or found since.
 *
 *   roots (header)  | counted by fetch_add and fetch_sub, relaxed: the stop orders them
 *   state           | RUNNING by its thread, seq_cst, before it reads gc_attention; gc_attention by
 * the |   stopper, seq_cst, before it reads the states: one of both sees the other. |   PARKED by
 * its thread, release: pairs with the stopper's acquire gc_attention    | cleared of GC_STOP with
 * release: pairs with the acquire of who waits parked all else of a mem_thread | its own thread's;
 * while the world is stopped the stopper's
 */
#include <sched.h>
#include <stdlib.h>

#define GC_LOG_FIRST 1024
#define GC_SPINS 2000

struct gc_header {
    _Atomic uint32_t roots; /* 2 x number + whether a log has it */
    uint32_t type;          /* id */
};
struct gc_log {
    void **objects;
    size_t count, capacity;
};
_Static_assert(sizeof(struct gc_header) == GC_HEADER_BYTES, "see gc_heap.h");
enum gc_thread_state { GC_PARKED, GC_RUNNING };
enum gc_attention { GC_STOP = 1, GC_COLLECT = 2, GC_PAY = 4 };

struct mem_thread {
    _Atomic uint32_t state;
    struct gc_log roots;
    uint32_t read_count;
    void *reads[MEM_READS_MAX]; /* from slots: roots as well */
    struct gc_share share;
    struct gc_barrier barrier;
    mem_thread *next;
};

static struct {
    pthread_mutex_t lock;
    mem_thread *threads;
    struct gc_log left; /* by threads that have detached */
    const mem_type *types[MEM_TYPES_MAX];
} gc_world = {.lock = PTHREAD_MUTEX_INITIALIZER};
static _Atomic uint32_t gc_attention;

MEM_INLINE struct gc_header *gc_header_of(const void *object) {
    return (struct gc_header *)(uintptr_t)object - 1;
}

static void gc_log_reserve(struct gc_log *log, size_t capacity) {
    void **objects = realloc(log->objects, capacity * sizeof *objects);
    if (!objects)
        host_out_of_memory(capacity * sizeof *objects);
    log->objects = objects;
    log->capacity = capacity;
}
static __attribute__((noinline)) void gc_log_grow(struct gc_log *log) {
    gc_log_reserve(log, log->capacity ? 2 * log->capacity : GC_LOG_FIRST);
}
MEM_INLINE void gc_log_add(struct gc_log *log, void *object) {
    if (!MEM_LIKELY(log->count < log->capacity))
        gc_log_grow(log);
    log->objects[log->count++] = object;
}

/* Forgets entries that are roots no more: true of those that stay. */
static bool gc_log_keeps(void *object) {
    _Atomic uint32_t *roots = &gc_header_of(object)->roots;
    uint32_t none = 1;
    /* relaxed: only the count matters; who counts it up again logs it anew */
    return atomic_load_explicit(roots, memory_order_relaxed) != none ||
           !atomic_compare_exchange_strong_explicit(roots, &none, 0, memory_order_relaxed,
                                                    memory_order_relaxed);
}
static void gc_log_prune(struct gc_log *log) {
    size_t kept = 0;
    for (size_t i = 0; i < log->count; i++)
        if (gc_log_keeps(log->objects[i]))
            log->objects[kept++] = log->objects[i];
    log->count = kept;
}

/* A full log is pruned before it grows. */
static __attribute__((noinline)) void gc_root_log(mem_thread *t, void *object) {
    if (t->roots.count == t->roots.capacity && t->roots.count > 0) {
        gc_log_prune(&t->roots);
        if (t->roots.count > t->roots.capacity / 2)
            gc_log_grow(&t->roots);
    }
    gc_log_add(&t->roots, object);
}
MEM_INLINE void gc_root_new(mem_thread *t, void *object) {
    if (MEM_LIKELY(t->roots.count < t->roots.capacity))
        t->roots.objects[t->roots.count++] = object;
    else
        gc_root_log(t, object);
}
MEM_INLINE void gc_root_add(mem_thread *t, void *object, uint32_t number) {
    _Atomic uint32_t *roots = &gc_header_of(object)->roots;
    if (!(atomic_fetch_add_explicit(roots, 2 * number, memory_order_relaxed) & 1) &&
        !(atomic_fetch_or_explicit(roots, 1, memory_order_relaxed) & 1))
        gc_root_new(t, object);
}

/* Waits, parked, while the world is stopped, and then runs. */
static __attribute__((noinline)) void gc_wait_to_run(mem_thread *t) {
    do {
        /* release: pairs with the acquire in gc_stop_world */
        atomic_store_explicit(&t->state, GC_PARKED, memory_order_release);
        /* acquire: pairs with the release in gc_start_world */
        for (int i = 0;
             i < GC_SPINS && atomic_load_explicit(&gc_attention, memory_order_acquire) & GC_STOP;
             i++)
            if (i % 100 == 99)
                sched_yield();
        if (atomic_load_explicit(&gc_attention, memory_order_acquire) & GC_STOP) {
            pthread_mutex_lock(&gc_world.lock);
            pthread_mutex_unlock(&gc_world.lock);
        }
        /* seq_cst, both: pair with those in gc_stop_world */
        atomic_store_explicit(&t->state, GC_RUNNING, memory_order_seq_cst);
    } while (atomic_load_explicit(&gc_attention, memory_order_seq_cst) & GC_STOP);
}

static inline void mem_block(mem_thread *t) {
    /* release: pairs with the acquire in gc_stop_world */
    atomic_store_explicit(&t->state, GC_PARKED, memory_order_release);
}
static inline void mem_unblock(mem_thread *t) {
    /* seq_cst, both: pair with those in gc_stop_world */
    atomic_store_explicit(&t->state, GC_RUNNING, memory_order_seq_cst);
    if (!MEM_LIKELY(!(atomic_load_explicit(&gc_attention, memory_order_seq_cst) & GC_STOP)))
        gc_wait_to_run(t);
}

/* Takes gc_world.lock and returns when all threads are parked. The caller is: no thread of the
 * world, or parked. */
static void gc_stop_world(void) {
    pthread_mutex_lock(&gc_world.lock);
    /* seq_cst: pairs with those of mem_unblock */
    atomic_fetch_or_explicit(&gc_attention, GC_STOP, memory_order_seq_cst);
    for (mem_thread *t = gc_world.threads; t; t = t->next)
        for (int i = 1; atomic_load_explicit(&t->state, memory_order_seq_cst) == GC_RUNNING; i++)
            if (i % 100 == 0)
                sched_yield();
}
static void gc_start_world(void) {
    /* release: pairs with the acquire in gc_wait_to_run */
    atomic_fetch_and_explicit(&gc_attention, ~(uint32_t)GC_STOP, memory_order_release);
    pthread_mutex_unlock(&gc_world.lock);
}

static mem_thread *mem_attach(void) {
    mem_thread *t = calloc(1, sizeof *t);
    if (!t)
        host_out_of_memory(sizeof *t);
    atomic_init(&t->state, GC_RUNNING);
    gc_barrier_join(&t->barrier);
    pthread_mutex_lock(&gc_world.lock); /* so not while the world is stopped */
    t->next = gc_world.threads;
    gc_world.threads = t;
    pthread_mutex_unlock(&gc_world.lock);
    return t;
}

/* Moves all of one log to another. */
static void gc_log_move(struct gc_log *to, struct gc_log *from) {
    if (to->count + from->count > to->capacity)
        gc_log_reserve(to, 2 * (to->count + from->count));
    if (from->count > 0)
        memcpy(to->objects + to->count, from->objects, from->count * sizeof *from->objects);
    to->count += from->count;
    from->count = 0;
}

/* Leaves the world: what it logged goes to the collector, the blocks it allocated from to the next
 * sweep. */
static void mem_detach(mem_thread *t) {
    mem_block(t);
    pthread_mutex_lock(&gc_world.lock);
    mem_thread **link = &gc_world.threads;
    while (*link != t)
        link = &(*link)->next;
    *link = t->next;
    gc_log_move(&gc_world.left, &t->roots);
    gc_barrier_leave(&t->barrier);
    pthread_mutex_unlock(&gc_world.lock);
    gc_share_leave(&t->share);
    free(t->roots.objects);
    free(t);
}
