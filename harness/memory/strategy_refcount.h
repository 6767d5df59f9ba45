/* SPDX-License-Identifier: MIT */
/* strategy_refcount.h - atomic reference counts, intrusive in 8 bytes before the object, over
 * malloc.
 *
 * keep is relaxed: whoever counts up holds a reference already. drop releases, and the thread that
 * takes the last reference acquires, so that all uses come before the free. One reference left
 * means that no other thread can count up, so the last drop is a load and no read-modify-write.
 * Slots: see split_slots.h.
 */
#include "memory/no_scopes.h"
#include "memory/no_world.h"
#include "memory/plain_edges.h"
#include "memory/plain_state.h"

struct refcount_header {
    _Atomic uint32_t count;
    uint32_t unused;
};

static void mem_init(void) {}
static void mem_fini(void) {}

MEM_INLINE struct refcount_header *refcount_of(void *object) {
    return (struct refcount_header *)object - 1;
}

MEM_INLINE void count_add(mem_thread *t, void *object, uint32_t n) {
    (void)t;
    atomic_fetch_add_explicit(&refcount_of(object)->count, n, memory_order_relaxed);
}

/* relaxed: not the last, what the thread drops after it is ordered */
MEM_INLINE void count_sub(mem_thread *t, void *object, uint32_t n) {
    (void)t;
    atomic_fetch_sub_explicit(&refcount_of(object)->count, n, memory_order_relaxed);
}

/* Gives one reference back; true for the last, after which the object is the caller's alone. */
MEM_INLINE bool refcount_release(void *object) {
    _Atomic uint32_t *count = &refcount_of(object)->count;
    /* acquire: pairs with the release in the fetch_sub of those who dropped before */
    return atomic_load_explicit(count, memory_order_acquire) == 1 ||
           atomic_fetch_sub_explicit(count, 1, memory_order_acq_rel) == 1;
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

static inline void mem_slot_read_end(mem_thread *t, const mem_type *type, void *object) {
    mem_drop(t, &no_scope, type, object);
}

#include "memory/counted.h"
#include "memory/counted_parcel.h"
#include "memory/split_slots.h"

static inline void mem_slot_swap(mem_thread *t, mem_scope *s, void *owner, mem_slot *slot,
                                 const mem_type *type, void *object) {
    (void)owner;
    split_swap(t, s, slot, type, object);
}
