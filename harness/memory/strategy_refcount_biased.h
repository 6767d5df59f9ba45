/* SPDX-License-Identifier: MIT */
/* strategy_refcount_biased.h - reference counts that the creating thread changes by plain loads and
 * stores, and all others by atomics (Choi, Shull, Torrellas, "Biased Reference Counting", 2018).
 *
 * An object's references are its owner's count plus its shared count. A reference may be counted
 * up in one and down in the other. Where another thread would take the shared count below zero, it
 * leaves its reference with the owner's queue instead (as CPython does, PEP 703; in the paper the
 * count goes negative), at most once in an object's life: so what is queued lives until the owner
 * merges it, which is to add its own count to the shared one. An owner whose own count falls to
 * zero merges at once, but not what is queued. The three states of an object:
 *
 *   biased  neither bit is set; header.owner is the owner; the shared count is not negative
 *   queued  BIASED_QUEUED; header.owner is the queue's link, so that the owner, who does not find
 *           itself there, counts as others do, and the shared count may be negative
 *   merged  BIASED_MERGED; header.owner is NULL; the shared count is all there is, and at zero
 *           whoever took it there frees
 *
 * Only who sets BIASED_QUEUED writes the link, and only who merges a biased object clears the
 * owner: both bits are set by compare-and-exchange on one word, so that one of them comes first.
 *
 * Who merges: the owner at safepoints, at scope ends and before it blocks; or, while the owner is
 * in block, whoever finds something in its queue. `state` gives the owner's counts to one thread at
 * a time: block releases them, the helper who takes BLOCKED to HELPED acquires and then releases
 * them, and unblock acquires. Nothing waits for long: block and help store BLOCKED and then look
 * at the queue, queuing writes the queue and then looks at the state, all sequentially consistent,
 * so that one of the two sees the other. Only a running owner's queue waits, for its next
 * safepoint, scope end or block. A thread that detaches stays in block, its record goes to the
 * next one that attaches, which so owns what is left of its objects. Hence all queues are empty
 * when the last thread has detached.
 *
 * Uses come before the free: all counts down in the shared word release and the last acquires; the
 * owner's uses come before its merge, which releases as well, or before the block that lets another
 * merge. An owner that finds the shared word zero acquires from those who took it there.
 *
 * What a merge finds dead waits in a list of the thread and is freed in a loop, so that a chain of
 * another thread's objects does not recurse.
 */
#include "memory/plain_edges.h"
#include "memory/plain_state.h"

#include <pthread.h>
#include <sched.h>

#define BIASED_MERGED 1u
#define BIASED_QUEUED 2u
#define BIASED_SHARED 4u /* one reference in header.shared, a signed number above the two bits */
/* header.local is the owner's count, a signed number above the type's id. Below zero it comes where
 * the owner drops what another counted up, once its own are gone and the object is being queued. */
#define BIASED_ID_BITS 4
#define BIASED_LOCAL (1u << BIASED_ID_BITS)

struct biased_header {
    _Atomic(void *) owner;
    uint32_t local;
    _Atomic uint32_t shared;
};
_Static_assert(MEM_TYPES_MAX <= BIASED_LOCAL, "a type's id is below the count");

enum biased_state { BIASED_RUNNING, BIASED_BLOCKED, BIASED_HELPED };
struct mem_thread {
    const mem_type *types[MEM_TYPES_MAX]; /* of what is in its queue and among its dead, by id */
    struct biased_header *dead;           /* linked by owner */
    bool freeing;
    mem_thread *next; /* under biased_threads.lock */
    _Alignas(64) _Atomic(struct biased_header *) queue;
    _Atomic enum biased_state state;
};
struct mem_scope {
    char unused;
};
static mem_scope biased_scope;
static struct {
    pthread_mutex_t lock;
    mem_thread *detached;
} biased_threads = {.lock = PTHREAD_MUTEX_INITIALIZER};

MEM_INLINE struct biased_header *biased_of(void *object) {
    return (struct biased_header *)object - 1;
}
MEM_INLINE bool biased_owns(mem_thread *t, const struct biased_header *h) {
    /* relaxed: others than t only ever write what is not t */
    return atomic_load_explicit(&h->owner, memory_order_relaxed) == t;
}

static void biased_die(mem_thread *t, struct biased_header *h) {
    atomic_store_explicit(&h->owner, t->dead, memory_order_relaxed);
    t->dead = h;
}

static void biased_free_dead(mem_thread *t);

/* Merges what is in the owner's queue, whose counts are t's for now. */
static void biased_merge_queue(mem_thread *t, mem_thread *owner) {
    /* acquire: pairs with the release in biased_queue */
    struct biased_header *h = atomic_exchange_explicit(&owner->queue, NULL, memory_order_acquire);
    while (h) {
        struct biased_header *next = atomic_load_explicit(&h->owner, memory_order_relaxed);
        uint32_t id = h->local % BIASED_LOCAL;
        uint32_t count = (uint32_t)((int32_t)h->local >> BIASED_ID_BITS) - 1; /* less the queue's */
        t->types[id] = owner->types[id];
        atomic_store_explicit(&h->owner, NULL, memory_order_relaxed);
        /* release, acquire: pair with each other and with those of biased_release_shared */
        uint32_t old = atomic_fetch_add_explicit(
            &h->shared, count * BIASED_SHARED + BIASED_MERGED - BIASED_QUEUED,
            memory_order_acq_rel);
        if (old / BIASED_SHARED * BIASED_SHARED + count * BIASED_SHARED == 0)
            biased_die(t, h);
        h = next;
    }
}

/* Merges for an owner that is in block. */
static void biased_help(mem_thread *t, mem_thread *owner) {
    enum biased_state blocked = BIASED_BLOCKED;
    while (atomic_load_explicit(&owner->queue, memory_order_seq_cst) &&
           /* seq_cst: see above; its acquire pairs with the release of who stored BLOCKED */
           atomic_compare_exchange_strong_explicit(&owner->state, &blocked, BIASED_HELPED,
                                                   memory_order_seq_cst, memory_order_seq_cst)) {
        biased_merge_queue(t, owner);
        atomic_store_explicit(&owner->state, BIASED_BLOCKED, memory_order_seq_cst);
    }
    biased_free_dead(t);
}

static void biased_queue(mem_thread *t, struct biased_header *h) {
    mem_thread *owner = atomic_load_explicit(&h->owner, memory_order_relaxed);
    struct biased_header *head = atomic_load_explicit(&owner->queue, memory_order_relaxed);
    do
        atomic_store_explicit(&h->owner, head, memory_order_relaxed);
    /* seq_cst: see above; its release pairs with the acquire in biased_merge_queue */
    while (!atomic_compare_exchange_weak_explicit(&owner->queue, &head, h, memory_order_seq_cst,
                                                  memory_order_relaxed));
    biased_help(t, owner);
}

/* Gives n references back; true where they were all that was left. */
static __attribute__((noinline)) bool biased_release_shared(mem_thread *t, struct biased_header *h,
                                                            uint32_t n) {
    /* acquire: pairs with the release below of those who dropped before */
    uint32_t old = atomic_load_explicit(&h->shared, memory_order_acquire), new;
    do {
        if (old == n * BIASED_SHARED + BIASED_MERGED)
            return true; /* nobody else can count up */
        new = old - n *BIASED_SHARED;
        if (!(old & (BIASED_MERGED | BIASED_QUEUED)) && (int32_t) new < 0)
            new += BIASED_SHARED + BIASED_QUEUED;
    } while (!atomic_compare_exchange_weak_explicit(&h->shared, &old, new, memory_order_acq_rel,
                                                    memory_order_acquire));
    if (new & ~old & BIASED_QUEUED)
        biased_queue(t, h);
    return false;
}

/* By the owner, whose count is zero while there is or was a shared one. */
static __attribute__((noinline)) bool biased_merge(mem_thread *t, struct biased_header *h) {
    uint32_t old = atomic_load_explicit(&h->shared, memory_order_relaxed);
    do
        if (old & BIASED_QUEUED)
            return false;
    /* One more, so that it is not freed before it has no owner. relaxed: the release comes below */
    while (!atomic_compare_exchange_weak_explicit(&h->shared, &old,
                                                  old + BIASED_SHARED + BIASED_MERGED,
                                                  memory_order_relaxed, memory_order_relaxed));
    atomic_store_explicit(&h->owner, NULL, memory_order_relaxed);
    return biased_release_shared(t, h, 1);
}

MEM_INLINE void count_add(mem_thread *t, void *object, uint32_t n) {
    struct biased_header *h = biased_of(object);
    if (MEM_LIKELY(biased_owns(t, h)))
        h->local += n * BIASED_LOCAL;
    else /* relaxed: whoever counts up holds a reference */
        atomic_fetch_add_explicit(&h->shared, n * BIASED_SHARED, memory_order_relaxed);
}

MEM_INLINE bool biased_release(mem_thread *t, void *object, uint32_t n) {
    struct biased_header *h = biased_of(object);
    if (!MEM_LIKELY(biased_owns(t, h)))
        return biased_release_shared(t, h, n);
    h->local -= n * BIASED_LOCAL;
    if (h->local >= BIASED_LOCAL)
        return false;
    /* acquire: pairs with the release in biased_release_shared of those who dropped before */
    return atomic_load_explicit(&h->shared, memory_order_acquire) == 0 || biased_merge(t, h);
}

/* Frees what has no reference left, and what it alone owned. */
static void biased_free(mem_thread *t, const mem_type *type, void *object,
                        struct mem_cascade *cascade) {
    do {
        mem_cascade_step(cascade, type, object);
        void *rest = mem_shed(t, &biased_scope, &type, object);
        free(biased_of(object));
        object = rest;
    } while (object && biased_release(t, object, 1));
}

static void biased_free_dead(mem_thread *t) {
    if (!t->dead || t->freeing)
        return;
    struct mem_cascade cascade = {0};
    t->freeing = true; /* what dies meanwhile is freed by the loop here */
    while (t->dead) {
        struct biased_header *h = t->dead;
        t->dead = atomic_load_explicit(&h->owner, memory_order_relaxed);
        biased_free(t, t->types[h->local % BIASED_LOCAL], h + 1, &cascade);
    }
    t->freeing = false;
    mem_cascade_end(&cascade);
}

static __attribute__((unused)) void biased_drop_linked(mem_thread *t, const mem_type *type,
                                                       void *object) {
    struct mem_cascade cascade = {0};
    if (biased_release(t, object, 1))
        biased_free(t, type, object, &cascade);
    mem_cascade_end(&cascade);
}

MEM_INLINE void mem_drop(mem_thread *t, mem_scope *s, const mem_type *type, void *object) {
    (void)s;
    if (!object)
        return;
    if (mem_has_edges(type))
        biased_drop_linked(t, type, object);
    else if (biased_release(t, object, 1))
        free(biased_of(object));
}

MEM_INLINE void *mem_try_new(mem_thread *t, mem_scope *s, const mem_type *type,
                             size_t trailing_bytes) {
    (void)s;
    assert(type->id < MEM_TYPES_MAX);
    struct biased_header *h = malloc(sizeof *h + mem_bytes(type, trailing_bytes));
    if (!MEM_LIKELY(h))
        return NULL;
    atomic_init(&h->owner, t);
    h->local = BIASED_LOCAL + type->id;
    atomic_init(&h->shared, 0);
    t->types[type->id] = type;
    mem_clear_edges(type, h + 1, trailing_bytes);
    return h + 1;
}

/* What is queued cannot move: its content does, and it is left there with no edges. */
static __attribute__((noinline, unused)) void *biased_move(mem_thread *t, mem_scope *s,
                                                           const mem_type *type, void *object,
                                                           size_t kept_bytes, size_t new_bytes) {
    void *moved = mem_try_new(t, s, type, new_bytes);
    if (!moved)
        host_out_of_memory(mem_bytes(type, new_bytes));
    memcpy(moved, object, mem_bytes(type, kept_bytes));
    mem_clear_edges(type, object, 0);
    mem_drop(t, s, type, object);
    return moved;
}

MEM_INLINE void *mem_resize(mem_thread *t, mem_scope *s, const mem_type *type, void *object,
                            size_t old_trailing_bytes, size_t new_trailing_bytes) {
    struct biased_header *h = biased_of(object);
    size_t kept_bytes =
        old_trailing_bytes < new_trailing_bytes ? old_trailing_bytes : new_trailing_bytes;
    /* acquire: pairs with the release of who merged it */
    if (atomic_load_explicit(&h->shared, memory_order_acquire) & BIASED_QUEUED) {
        object = biased_move(t, s, type, object, kept_bytes, new_trailing_bytes);
    } else {
        h = realloc(h, sizeof *h + mem_bytes(type, new_trailing_bytes));
        if (!h)
            host_out_of_memory(mem_bytes(type, new_trailing_bytes));
        object = h + 1;
    }
    mem_clear_trailing(type, object, old_trailing_bytes / sizeof(mem_ref),
                       new_trailing_bytes / sizeof(mem_ref));
    return object;
}

static inline void mem_safepoint(mem_thread *t) {
    /* relaxed: seen late, it waits for the next time */
    if (atomic_load_explicit(&t->queue, memory_order_relaxed)) {
        biased_merge_queue(t, t);
        biased_free_dead(t);
    }
}

static inline void mem_block(mem_thread *t) {
    enum biased_state blocked;
    do {
        mem_safepoint(t);
        /* seq_cst: see above; its release pairs with the acquire in biased_help */
        atomic_store_explicit(&t->state, BIASED_BLOCKED, memory_order_seq_cst);
        blocked = BIASED_BLOCKED;
    } while (atomic_load_explicit(&t->queue, memory_order_seq_cst) &&
             atomic_compare_exchange_strong_explicit(&t->state, &blocked, BIASED_RUNNING,
                                                     memory_order_acquire, memory_order_relaxed));
}

static inline void mem_unblock(mem_thread *t) {
    enum biased_state blocked = BIASED_BLOCKED;
    /* acquire: pairs with the release in biased_help */
    while (!atomic_compare_exchange_weak_explicit(&t->state, &blocked, BIASED_RUNNING,
                                                  memory_order_acquire, memory_order_relaxed)) {
        if (blocked == BIASED_HELPED)
            sched_yield();
        blocked = BIASED_BLOCKED;
    }
}

static mem_thread *mem_attach(void) {
    pthread_mutex_lock(&biased_threads.lock);
    mem_thread *t = biased_threads.detached;
    if (t)
        biased_threads.detached = t->next;
    pthread_mutex_unlock(&biased_threads.lock);
    if (t) {
        mem_unblock(t);
        return t;
    }
    t = aligned_alloc(_Alignof(mem_thread), sizeof *t);
    if (!t)
        host_out_of_memory(sizeof *t);
    memset(t, 0, sizeof *t); /* running */
    return t;
}
static void mem_detach(mem_thread *t) {
    mem_block(t);
    pthread_mutex_lock(&biased_threads.lock);
    t->next = biased_threads.detached;
    biased_threads.detached = t;
    pthread_mutex_unlock(&biased_threads.lock);
}

static inline mem_scope *mem_scope_begin(mem_thread *t) {
    (void)t;
    return &biased_scope;
}
static inline void mem_scope_end(mem_thread *t, mem_scope *s) {
    (void)s;
    mem_safepoint(t);
}
static inline void mem_scope_enter(mem_thread *t, mem_scope *s) {
    (void)t, (void)s;
}
static inline void mem_scope_leave(mem_thread *t, mem_scope *s) {
    (void)t, (void)s;
}

MEM_INLINE void count_sub(mem_thread *t, void *object, uint32_t n) {
    bool last = biased_release(t, object, n);
    assert(!last);
    (void)last;
}
static inline void mem_slot_read_end(mem_thread *t, const mem_type *type, void *object) {
    mem_drop(t, &biased_scope, type, object);
}

#include "memory/counted.h"
#include "memory/counted_parcel.h"
#include "memory/split_slots.h"

static inline void mem_slot_swap(mem_thread *t, mem_scope *s, void *owner, mem_slot *slot,
                                 const mem_type *type, void *object) {
    (void)owner;
    split_swap(t, s, slot, type, object);
}

static void mem_init(void) {}
static void mem_fini(void) {
    for (mem_thread *t = biased_threads.detached, *next; t; t = next) {
        assert(!atomic_load_explicit(&t->queue, memory_order_relaxed));
        next = t->next;
        free(t);
    }
    biased_threads.detached = NULL;
}
