/* SPDX-License-Identifier: MIT */
/* boehm_safepoints.h - stops at safepoints, for ThreadSanitizer, which defers libgc's signals.
 *
 * Collection is off but at a meeting: once enough bytes are allocated, a thread that comes to a
 * safepoint asks for a stop and waits; when every joined thread waits here or is in block, the last
 * one collects with collection switched on, and all go on. A thread that waits or is in block is
 * parked: unknown to libgc, which so has nobody to signal, with its stack and registers as roots.
 */
#include <pthread.h>
#include <ucontext.h>

#define BOEHM_STOP_EVERY_BYTES ((size_t)8 << 20)

static struct {
    pthread_mutex_t lock;
    pthread_cond_t go;
    uint32_t running; /* joined threads that are not parked */
    bool wanted, collecting;
    uint64_t round;
} boehm_world = {.lock = PTHREAD_MUTEX_INITIALIZER, .go = PTHREAD_COND_INITIALIZER};
static _Atomic bool boehm_stop_wanted; /* a copy, relaxed: read late, it only delays a stop */
static _Thread_local struct {
    ucontext_t registers;
    struct GC_stack_base base;
    void *low;
} boehm_parked;

static void boehm_world_init(void) {
    GC_disable();
}

static __attribute__((noinline)) void boehm_park(void) {
    getcontext(&boehm_parked.registers);
    boehm_parked.low = __builtin_frame_address(0);
    GC_add_roots(boehm_parked.low, boehm_parked.base.mem_base);
    GC_add_roots(&boehm_parked.registers, &boehm_parked.registers + 1);
    GC_unregister_my_thread();
}
static void boehm_forget_parked(void) {
    GC_remove_roots(boehm_parked.low, boehm_parked.base.mem_base);
    GC_remove_roots(&boehm_parked.registers, &boehm_parked.registers + 1);
}
static void boehm_unpark(void) {
    GC_register_my_thread(&boehm_parked.base);
    boehm_forget_parked();
}

/* By a parked thread under the lock, which it gives up while it collects: the last one does. */
static void boehm_world_stopped(void) {
    if (--boehm_world.running > 0 || !boehm_world.wanted || boehm_world.collecting)
        return;
    boehm_world.collecting = true;
    pthread_mutex_unlock(&boehm_world.lock);
    boehm_unpark(); /* libgc collects on threads that it knows only */
    GC_enable();
    GC_gcollect();
    GC_disable();
    boehm_park();
    pthread_mutex_lock(&boehm_world.lock);
    boehm_world.collecting = boehm_world.wanted = false;
    atomic_store_explicit(&boehm_stop_wanted, false, memory_order_relaxed);
    boehm_world.round++;
    pthread_cond_broadcast(&boehm_world.go);
}

/* By a parked thread under the lock: not while others stop. */
static void boehm_world_started(void) {
    for (uint64_t round = boehm_world.round; boehm_world.wanted && round == boehm_world.round;)
        pthread_cond_wait(&boehm_world.go, &boehm_world.lock);
    boehm_world.running++;
}

/* The main thread is registered by GC_INIT and stays so: unattached, it may call mem_state_new and
 * mem_fini, which may collect. */
static void boehm_world_join(void) {
    GC_get_stack_base(&boehm_parked.base);
    pthread_mutex_lock(&boehm_world.lock);
    boehm_world_started();
    pthread_mutex_unlock(&boehm_world.lock);
    if (!GC_thread_is_registered())
        GC_register_my_thread(&boehm_parked.base);
}
static inline void mem_block(mem_thread *t) {
    (void)t;
    boehm_park();
    pthread_mutex_lock(&boehm_world.lock);
    boehm_world_stopped();
    pthread_mutex_unlock(&boehm_world.lock);
}
static inline void mem_unblock(mem_thread *t) {
    (void)t;
    pthread_mutex_lock(&boehm_world.lock);
    boehm_world_started();
    pthread_mutex_unlock(&boehm_world.lock);
    boehm_unpark();
}
static void boehm_world_leave(bool main_thread) {
    mem_block(NULL);
    if (main_thread)
        boehm_unpark();
    else
        boehm_forget_parked();
}
static inline void mem_safepoint(mem_thread *t) {
    if (!atomic_load_explicit(&boehm_stop_wanted, memory_order_relaxed) &&
        GC_get_bytes_since_gc() < BOEHM_STOP_EVERY_BYTES)
        return;
    pthread_mutex_lock(&boehm_world.lock);
    boehm_world.wanted = true;
    atomic_store_explicit(&boehm_stop_wanted, true, memory_order_relaxed);
    pthread_mutex_unlock(&boehm_world.lock);
    mem_block(t);
    mem_unblock(t);
}
