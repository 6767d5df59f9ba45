/* SPDX-License-Identifier: MIT */
/* strategy_malloc_rcu.h - malloc with slots that are safe by RCU (liburcu, the memb flavour).
 *
 * A read is a read-side critical section: two plain stores. A batch of retired objects is given to
 * call_rcu, whose thread waits for a grace period (sys_membarrier) and frees the batch itself, as
 * is the library's practice: no worker pays but for waking that thread up at most each 10 ms. With
 * amortise=N it gives the batch back to the thread that retired it.
 *
 * A reader that stalls holds the grace period: what is retired meanwhile grows without bound while
 * swaps go on without waiting; call_rcu's thread then frees it in one go. Reads that overlap
 * without a gap on one thread are one section. Tunables, exits: see deferred.h.
 *
 * _LGPL_SOURCE lets the sections be inlined (the licence of this file is compatible with the
 * LGPL's); not under ThreadSanitizer, which would see one side of liburcu's own atomics.
 */
#if !defined(TAILRACE_TSAN)
#define _LGPL_SOURCE
#endif
#include <urcu/urcu-memb.h>

#define DEFERRED_BATCH 1 /* call_rcu gathers batches of its own */
#define RCU_STACK_BYTES (256 << 10)
typedef struct rcu_head deferred_entry;
struct deferred_own {
    struct deferred_node *chain;             /* to be given to call_rcu by its first node */
    _Atomic(struct deferred_node *) arrived; /* from call_rcu's thread, if amortised */
};
#include "memory/deferred.h"

static void *rcu_no_work(void *unused) {
    return unused;
}

/* Without this the first swap would create call_rcu's thread, pinned to that worker's core. Its
 * stack would take 8 MiB of a budget. liburcu aborts where it cannot create it: one that is made
 * before finds that out, and leaves its stack to be used again. */
static void deferred_open(void) {
    pthread_attr_t usual, small;
    pthread_t probe;
    pthread_getattr_default_np(&usual);
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, RCU_STACK_BYTES);
    pthread_setattr_default_np(&small);
    if (pthread_create(&probe, NULL, rcu_no_work, NULL) != 0)
        host_out_of_memory(RCU_STACK_BYTES);
    pthread_join(probe, NULL);
    urcu_memb_get_default_call_rcu_data();
    pthread_setattr_default_np(&usual);
    pthread_attr_destroy(&small);
    pthread_attr_destroy(&usual);
}
static void deferred_close(void) {
    TSAN_IGNORE_BEGIN(); /* liburcu allocates here what call_rcu's thread frees */
    urcu_memb_barrier();
    TSAN_IGNORE_END();
}
static void deferred_enter(mem_thread *t, bool is_new) {
    (void)t, (void)is_new;
    urcu_memb_register_thread();
}
static void deferred_exit(mem_thread *t) {
    (void)t;
    urcu_memb_unregister_thread();
}

static void deferred_submit(struct deferred_node *node) {
    node->next = node->t->own.chain;
    node->t->own.chain = node;
}

/* On call_rcu's thread. A section that could hold what the batch's slots hold began before the
 * batch was retired, so that it has ended as well. */
static void rcu_is_safe(struct rcu_head *head) {
    struct deferred_node *first = caa_container_of(head, struct deferred_node, entry),
                         *last = first;
    TSAN_ACQUIRE(first); /* pairs with the release in deferred_collect */
    if (deferred.amortise == 0) {
        deferred_free(NULL, &first, UINT64_MAX, 0);
        return;
    }
    while (last->next)
        last = last->next;
    _Atomic(struct deferred_node *) *arrived = &first->t->own.arrived;
    last->next = atomic_load_explicit(arrived, memory_order_relaxed);
    /* release: pairs with the acquire in deferred_has_safe */
    while (!atomic_compare_exchange_weak_explicit(arrived, &last->next, first, memory_order_release,
                                                  memory_order_relaxed))
        ;
}
static void deferred_collect(mem_thread *t) {
    struct deferred_node *chain = t->own.chain;
    if (!chain)
        return;
    t->own.chain = NULL;
    TSAN_RELEASE(chain); /* liburcu is not instrumented */
    urcu_memb_call_rcu(&chain->entry, rcu_is_safe);
}
static bool deferred_has_safe(mem_thread *t) {
    if (!t->safe && atomic_load_explicit(&t->own.arrived, memory_order_relaxed))
        /* acquire: pairs with the release in rcu_is_safe */
        t->safe = atomic_exchange_explicit(&t->own.arrived, NULL, memory_order_acquire);
    return t->safe;
}

static inline void *mem_slot_read(mem_thread *t, mem_slot *slot) {
    (void)t;
    urcu_memb_read_lock();
    void *object = deferred_load(slot);
    if (!object)
        urcu_memb_read_unlock();
    return object;
}
static inline void mem_slot_read_end(mem_thread *t, const mem_type *type, void *object) {
    (void)t, (void)type;
    if (!object)
        return;
    TSAN_RELEASE(object); /* pairs with the acquire in deferred_free: liburcu is not instrumented */
    urcu_memb_read_unlock();
}
