/* SPDX-License-Identifier: MIT */
/* plain_edges.h - set and take of a strategy that needs no barrier. */
static inline void mem_set(mem_thread *t, mem_scope *s, void *owner, mem_ref *edge,
                           const mem_type *type, void *object) {
    (void)owner;
    void *old = mem_get(edge);
    mem_put(edge, object);
    if (old)
        mem_drop(t, s, type, old);
}
static inline void *mem_take(mem_thread *t, void *owner, mem_ref *edge) {
    (void)t, (void)owner;
    void *object = mem_get(edge);
    mem_put(edge, NULL);
    return object;
}
