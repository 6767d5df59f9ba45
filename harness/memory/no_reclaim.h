/* SPDX-License-Identifier: MIT */
/* no_reclaim.h - the calls that give single objects back, where a single object never is. */
MEM_INLINE void *mem_keep(mem_thread *t, const mem_type *type, void *object) {
    (void)t, (void)type;
    return object;
}
MEM_INLINE void mem_drop(mem_thread *t, mem_scope *s, const mem_type *type, void *object) {
    (void)t, (void)s, (void)type, (void)object;
}
MEM_INLINE void mem_set(mem_thread *t, mem_scope *s, void *owner, mem_ref *edge,
                        const mem_type *type, void *object) {
    (void)t, (void)s, (void)owner, (void)type;
    mem_put(edge, object);
}
MEM_INLINE void *mem_take(mem_thread *t, void *owner, mem_ref *edge) {
    (void)t, (void)owner;
    void *object = mem_get(edge);
    mem_put(edge, NULL);
    return object;
}

/* Slots: what is replaced outlives every reader, so a read is a load. */
MEM_INLINE void *mem_slot_read(mem_thread *t, mem_slot *slot) {
    (void)t;
    /* acquire: pairs with the release in mem_slot_swap */
    return (void *)(uintptr_t)atomic_load_explicit(&slot->word, memory_order_acquire);
}
MEM_INLINE void mem_slot_read_end(mem_thread *t, const mem_type *type, void *object) {
    (void)t, (void)type, (void)object;
}
MEM_INLINE void mem_slot_swap(mem_thread *t, mem_scope *s, void *owner, mem_slot *slot,
                              const mem_type *type, void *object) {
    (void)t, (void)s, (void)owner, (void)type;
    /* release: pairs with the acquire in mem_slot_read */
    atomic_store_explicit(&slot->word, (uint64_t)(uintptr_t)object, memory_order_release);
}
