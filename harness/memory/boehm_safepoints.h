/* SPDX-License-Identifier: MIT */
/* boehm_safepoints.h - stops threads at safepoints, for ThreadSanitizer, which defers libgc's signals.
 *
 * Collection is off but at a meeting: once enough bytes are allocated, a thread that comes to a
 * safepoint asks for a stop and waits; when every joined thread waits here or is in block, the last
 * one collects with collection switched on, and all go on. A thread that waits sits in a TSan
 * interceptor, where the stop signal is delivered at once.
 */
#include <pthread.h>

#define BOEHM_STOP_EVERY_BYTES ((size_t)8 << 20)

static struct {
    pthread_mutex_t lock;
    pthread_cond_t go;
    uint32_t running; /* joined threads that are neither blocked nor waiting */
    bool wanted;
    uint64_t round;
} boehm_world = {.lock = PTHREAD_MUTEX_INITIALIZER, .go = PTHREAD_COND_INITIALIZER};
static _Atomic bool boehm_stop_wanted; /* a copy of wanted, relaxed: read late, it only delays a stop */

static void boehm_world_init(void) {
    GC_disable();
}

/* Under the lock: the last one to stop collects. */
static void boehm_world_stopped(void) {
    if (--boehm_world.running > 0 || !boehm_world.wanted)
        return;
    GC_enable();
    GC_gcollect();
    GC_disable();
    boehm_world.wanted = false;
    atomic_store_explicit(&boehm_stop_wanted, false, memory_order_relaxed);
    boehm_world.round++;
    pthread_cond_broadcast(&boehm_world.go);
}

/* Under the lock: not while others stop. */
static void boehm_world_start(void) {
    for (uint64_t round = boehm_world.round; boehm_world.wanted && round == boehm_world.round;)
        pthread_cond_wait(&boehm_world.go, &boehm_world.lock);
    boehm_world.running++;
}

static void boehm_world_join(void) {
    pthread_mutex_lock(&boehm_world.lock);
    boehm_world_start();
    pthread_mutex_unlock(&boehm_world.lock);
}
static void boehm_world_leave(void) {
    pthread_mutex_lock(&boehm_world.lock);
    boehm_world_stopped();
    pthread_mutex_unlock(&boehm_world.lock);
}
static inline void mem_block(mem_thread *t) {
    (void)t;
    boehm_world_leave();
}
static inline void mem_unblock(mem_thread *t) {
    (void)t;
    boehm_world_join();
}
static inline void mem_safepoint(mem_thread *t) {
    (void)t;
    if (!atomic_load_explicit(&boehm_stop_wanted, memory_order_relaxed) &&
        GC_get_bytes_since_gc() < BOEHM_STOP_EVERY_BYTES)
        return;
    pthread_mutex_lock(&boehm_world.lock);
    boehm_world.wanted = true;
    atomic_store_explicit(&boehm_stop_wanted, true, memory_order_relaxed);
    boehm_world_stopped();
    boehm_world_start();
    pthread_mutex_unlock(&boehm_world.lock);
}
