/* SPDX-License-Identifier: MIT */
/* gc_objects.h - objects, scopes and edges under our own collectors.
 *
 * A strategy gives, before this is included: gc_overwritten (its write barrier, told of every owned
 * reference that an edge or the roots lose), gc_allocated (told under gc_heap.lock that blocks were
 * taken) and gc_attend (what to do at a safepoint while gc_attention is not 0).
 */
#include "memory/plain_state.h"

struct mem_scope {
    char unused;
};
static mem_scope gc_scope;

static inline void mem_safepoint(mem_thread *t) {
    /* relaxed: seen late it is seen at the next safepoint */
    if (!MEM_LIKELY(atomic_load_explicit(&gc_attention, memory_order_relaxed) == 0))
        gc_attend(t);
}
static inline mem_scope *mem_scope_begin(mem_thread *t) {
    (void)t;
    return &gc_scope;
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

/* The room that an object takes. */
MEM_INLINE size_t gc_bytes(const mem_type *type, size_t trailing_bytes) {
    if (GUARD_OWN_BLOCKS)
        return GC_HEADER_BYTES + mem_exact_bytes(type, trailing_bytes);
    return GC_HEADER_BYTES + mem_bytes(type, trailing_bytes) + GUARD_REDZONE_BYTES;
}

MEM_INLINE void *mem_try_new(mem_thread *t, mem_scope *s, const mem_type *type,
                             size_t trailing_bytes) {
    (void)s;
    struct gc_header *header = gc_take(&t->share, gc_bytes(type, trailing_bytes));
    if (!MEM_LIKELY(header))
        return NULL;
    guard_new(&gc_guard, header + 1, mem_exact_bytes(type, trailing_bytes));
    guard_open(header, sizeof *header); /* after it: under Valgrind it closes what lies before */
    /* relaxed: the marker learns of the object by a stop, or by the edge that it is stored in */
    atomic_store_explicit(&header->roots, 2 + 1, memory_order_relaxed);
    header->type = type->id;
    if (!MEM_LIKELY(__atomic_load_n(&gc_world.types[type->id], __ATOMIC_RELAXED)))
        __atomic_store_n(&gc_world.types[type->id], type, __ATOMIC_RELAXED);
    mem_clear_edges(type, header + 1, trailing_bytes);
    gc_root_new(t, header + 1);
    return header + 1;
}

MEM_INLINE void *mem_new(mem_thread *t, mem_scope *s, const mem_type *type, size_t trailing_bytes) {
    void *object = mem_try_new(t, s, type, trailing_bytes);
    if (MEM_LIKELY(object))
        return object;
    host_out_of_memory(mem_bytes(type, trailing_bytes));
}

/* One root less; the last is a reference lost. */
MEM_INLINE void gc_root_drop(mem_thread *t, void *object) {
    if (atomic_fetch_sub_explicit(&gc_header_of(object)->roots, 2, memory_order_relaxed) < 4)
        gc_overwritten(&t->barrier, object);
}

/* In place where the cell is large enough and holds no edges that a marker may read meanwhile, else
 * by copy; the old object is left to the collector. */
MEM_INLINE void *mem_resize(mem_thread *t, mem_scope *s, const mem_type *type, void *object,
                            size_t old_trailing_bytes, size_t new_trailing_bytes) {
    size_t old_bytes = mem_exact_bytes(type, old_trailing_bytes);
    size_t new_bytes = mem_exact_bytes(type, new_trailing_bytes);
    if (!type->trailing_edge &&
        gc_fits(gc_bytes(type, old_trailing_bytes), gc_bytes(type, new_trailing_bytes))) {
        guard_resize(&gc_guard, object, old_bytes, new_bytes);
        return object;
    }
    void *moved = mem_new(t, s, type, new_trailing_bytes);
    memcpy(moved, object, old_bytes < new_bytes ? old_bytes : new_bytes);
    mem_clear_trailing(type, moved, old_trailing_bytes / sizeof(mem_ref),
                       new_trailing_bytes / sizeof(mem_ref));
    gc_root_drop(t, object);
    return moved;
}

MEM_INLINE void *mem_keep(mem_thread *t, const mem_type *type, void *object) {
    (void)type;
    gc_root_add(t, object, 1);
    return object;
}
MEM_INLINE void mem_drop(mem_thread *t, mem_scope *s, const mem_type *type, void *object) {
    (void)s, (void)type;
    if (object)
        gc_root_drop(t, object);
}
MEM_INLINE mem_parcel mem_send(mem_thread *t, mem_scope *s, const mem_type *type, void *object,
                               uint32_t receivers) {
    (void)type;
    if (object && receivers > 1)
        gc_root_add(t, object, receivers - 1);
    return (mem_parcel){.scope = s, .object = object};
}
MEM_INLINE void *mem_receive(mem_thread *t, const mem_parcel *parcel, mem_scope **s) {
    (void)t;
    *s = parcel->scope;
    return parcel->object;
}

MEM_INLINE void mem_set(mem_thread *t, mem_scope *s, void *owner, mem_ref *edge,
                        const mem_type *type, void *object) {
    (void)s, (void)owner, (void)type;
    gc_overwritten(&t->barrier, mem_get(edge));
    /* release: pairs with the acquire in gc_push_edge */
    __atomic_store_n(edge, object, __ATOMIC_RELEASE);
    if (object)
        gc_root_drop(t, object);
}
MEM_INLINE void *mem_take(mem_thread *t, void *owner, mem_ref *edge) {
    (void)owner;
    void *object = mem_get(edge);
    if (!object)
        return NULL;
    gc_overwritten(&t->barrier, object);
    gc_root_add(t, object, 1);
    mem_put(edge, NULL);
    return object;
}

/* Slots: what is read stays in the thread's list of open reads, which is a root. */
MEM_INLINE void *mem_slot_read(mem_thread *t, mem_slot *slot) {
    /* acquire: pairs with the release in mem_slot_swap */
    void *object = (void *)(uintptr_t)atomic_load_explicit(&slot->word, memory_order_acquire);
    if (t->read_count == MEM_READS_MAX)
        host_violation("slot_read: more than MEM_READS_MAX reads are open");
    if (object)
        t->reads[t->read_count++] = object;
    return object;
}
MEM_INLINE void mem_slot_read_end(mem_thread *t, const mem_type *type, void *object) {
    (void)type;
    uint32_t i = t->read_count;
    while (i > 0 && t->reads[i - 1] != object)
        i--;
    if (i > 0)
        t->reads[i - 1] = t->reads[--t->read_count];
}
MEM_INLINE void mem_slot_swap(mem_thread *t, mem_scope *s, void *owner, mem_slot *slot,
                              const mem_type *type, void *object) {
    (void)s, (void)owner, (void)type;
    /* release: pairs with the acquires in mem_slot_read and gc_push_edge; acquire: of what another
     * thread stored there */
    uint64_t old =
        atomic_exchange_explicit(&slot->word, (uint64_t)(uintptr_t)object, memory_order_acq_rel);
    gc_overwritten(&t->barrier, (void *)(uintptr_t)old);
    if (object)
        gc_root_drop(t, object);
}
