/* SPDX-License-Identifier: MIT */
/* strategy_refcount.h - atomic reference counts, intrusive in 8 bytes before the object, over
 * malloc.
 *
 * keep is relaxed: whoever counts up holds a reference already. drop releases, and the thread that
 * takes the last reference acquires, so that all uses come before the free. One reference left
 * means that no other thread can count up, so the last drop is a load and no read-modify-write.
 *
 * Slots use a split count (Williams, "C++ Concurrency in Action", 7.2.4; Folly AtomicSharedPtr):
 * the slot's word is a 48-bit pointer and a 16-bit count of readers that hold the slot but not yet
 * the object. A reader counts itself in the word, counts the object up, and leaves the word again;
 * a writer who swaps the word in between moves the readers it found onto the object's own count,
 * and a reader who finds itself gone from the word gives back the one that was moved for it. It may
 * do so at once, so the writer, who alone replaces what the slot holds, counts the most readers
 * there can be before the swap and gives back after it those that were none. At most 65,535 threads
 * are between the two at once, so the word's count cannot overflow.
 */
#include "memory/no_world.h"
#include "memory/plain_edges.h"
#include "memory/plain_state.h"

#define REFCOUNT_POINTER_BITS 48
#define REFCOUNT_READER ((uint64_t)1 << REFCOUNT_POINTER_BITS)
#define REFCOUNT_READERS_MAX 65535u

struct mem_thread {
    char unused;
};
struct mem_scope {
    char unused;
};
struct refcount_header {
    _Atomic uint32_t count;
    uint32_t unused;
};
static mem_thread refcount_thread;
static mem_scope refcount_scope;

static void mem_init(void) {}
static void mem_fini(void) {}
static mem_thread *mem_attach(void) {
    return &refcount_thread;
}
static void mem_detach(mem_thread *t) {
    (void)t;
}
static inline mem_scope *mem_scope_begin(mem_thread *t) {
    (void)t;
    return &refcount_scope;
}
static inline void mem_scope_end(mem_thread *t, mem_scope *s) {
    (void)t, (void)s;
}

MEM_INLINE struct refcount_header *refcount_of(void *object) {
    return (struct refcount_header *)object - 1;
}

MEM_INLINE void refcount_add(void *object, uint32_t n) {
    atomic_fetch_add_explicit(&refcount_of(object)->count, n, memory_order_relaxed);
}

/* Gives one reference back; true for the last, after which the object is the caller's alone. */
MEM_INLINE bool refcount_release(void *object) {
    _Atomic uint32_t *count = &refcount_of(object)->count;
    /* acquire: pairs with the release in the fetch_sub of those who dropped before */
    return atomic_load_explicit(count, memory_order_acquire) == 1 ||
           atomic_fetch_sub_explicit(count, 1, memory_order_acq_rel) == 1;
}

static inline mem_parcel mem_send(mem_thread *t, mem_scope *s, const mem_type *type, void *object,
                                  uint32_t receivers) {
    (void)t, (void)type;
    if (object && receivers > 1)
        refcount_add(object, receivers - 1);
    return (mem_parcel){.scope = s, .object = object};
}
static inline void *mem_receive(mem_thread *t, const mem_parcel *parcel, mem_scope **s) {
    (void)t;
    *s = parcel->scope;
    return parcel->object;
}

MEM_INLINE void *mem_try_new(mem_thread *t, mem_scope *s, const mem_type *type,
                             size_t trailing_bytes) {
    (void)t, (void)s;
    struct refcount_header *header = malloc(sizeof *header + mem_bytes(type, trailing_bytes));
    if (!MEM_LIKELY(header))
        return NULL;
    atomic_init(&header->count, 1);
    mem_clear_edges(type, header + 1, trailing_bytes);
    return header + 1;
}

MEM_INLINE void *mem_new(mem_thread *t, mem_scope *s, const mem_type *type, size_t trailing_bytes) {
    void *object = mem_try_new(t, s, type, trailing_bytes);
    if (MEM_LIKELY(object))
        return object;
    host_out_of_memory(mem_bytes(type, trailing_bytes));
}

MEM_INLINE void *mem_resize(mem_thread *t, mem_scope *s, const mem_type *type, void *object,
                            size_t old_trailing_bytes, size_t new_trailing_bytes) {
    (void)t, (void)s;
    assert(atomic_load_explicit(&refcount_of(object)->count, memory_order_relaxed) == 1);
    struct refcount_header *header =
        realloc(refcount_of(object), sizeof *header + mem_bytes(type, new_trailing_bytes));
    if (!header)
        host_out_of_memory(mem_bytes(type, new_trailing_bytes));
    object = header + 1;
    mem_clear_trailing(type, object, old_trailing_bytes / sizeof(mem_ref),
                       new_trailing_bytes / sizeof(mem_ref));
    return object;
}

MEM_INLINE void *mem_keep(mem_thread *t, const mem_type *type, void *object) {
    (void)t, (void)type;
    refcount_add(object, 1);
    return object;
}

static __attribute__((unused)) void refcount_drop_linked(mem_thread *t, mem_scope *s,
                                                         const mem_type *type, void *object) {
    struct mem_cascade cascade = {0};
    while (object && refcount_release(object)) {
        mem_cascade_step(&cascade, type, object);
        void *rest = mem_shed(t, s, &type, object);
        free(refcount_of(object));
        object = rest;
    }
    mem_cascade_end(&cascade);
}

MEM_INLINE void mem_drop(mem_thread *t, mem_scope *s, const mem_type *type, void *object) {
    if (mem_has_edges(type))
        refcount_drop_linked(t, s, type, object);
    else if (object && refcount_release(object))
        free(refcount_of(object));
}

MEM_INLINE void *refcount_pointer(uint64_t word) {
    return (void *)(uintptr_t)(word & (REFCOUNT_READER - 1));
}

static inline void *mem_slot_read(mem_thread *t, mem_slot *slot) {
    (void)t;
    /* acquire: pairs with the release in mem_slot_swap */
    uint64_t word = atomic_fetch_add_explicit(&slot->word, REFCOUNT_READER, memory_order_acquire) +
                    REFCOUNT_READER;
    void *object = refcount_pointer(word);
    if (object)
        refcount_add(object, 1);
    while (refcount_pointer(word) == object && word >= REFCOUNT_READER)
        /* release: the count up above comes before the writer that finds this reader gone;
         * acquire: what the writer who moved this reader counted comes before the release below */
        if (atomic_compare_exchange_weak_explicit(&slot->word, &word, word - REFCOUNT_READER,
                                                  memory_order_release, memory_order_acquire))
            return object;
    if (object && refcount_release(object))
        host_violation("slot_read: a moved reader's count was the object's last");
    return object;
}

static inline void mem_slot_read_end(mem_thread *t, const mem_type *type, void *object) {
    mem_drop(t, &refcount_scope, type, object);
}

static inline void mem_slot_swap(mem_thread *t, mem_scope *s, void *owner, mem_slot *slot,
                                 const mem_type *type, void *object) {
    (void)owner;
    assert((uintptr_t)object < REFCOUNT_READER);
    /* relaxed: only the scope's user replaces the pointer */
    void *old = refcount_pointer(atomic_load_explicit(&slot->word, memory_order_relaxed));
    if (old)
        refcount_add(old, REFCOUNT_READERS_MAX);
    /* release: pairs with the acquires in mem_slot_read; acquire: with the release of readers gone
     */
    uint64_t word =
        atomic_exchange_explicit(&slot->word, (uint64_t)(uintptr_t)object, memory_order_acq_rel);
    if (!old)
        return;
    /* relaxed: cannot be the last, the slot's own reference is dropped after it */
    atomic_fetch_sub_explicit(&refcount_of(old)->count,
                              REFCOUNT_READERS_MAX - (uint32_t)(word >> REFCOUNT_POINTER_BITS),
                              memory_order_relaxed);
    mem_drop(t, s, type, old);
}
