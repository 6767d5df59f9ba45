/* SPDX-License-Identifier: MIT */
/* edges.h - walks over the edges of an object, shared by the strategies (included by mem.h).
 *
 * With a type known at compile time these loops fold to straight stores, or to nothing.
 */
#ifndef TAILRACE_MEMORY_EDGES_H
#define TAILRACE_MEMORY_EDGES_H

#define MEM_INLINE static inline __attribute__((always_inline, unused))
#define MEM_LIKELY(x) __builtin_expect(!!(x), 1)

/* The size of an object, to the byte. */
MEM_INLINE size_t mem_exact_bytes(const mem_type *type, size_t trailing_bytes) {
    assert(trailing_bytes <= type->trailing_max);
    return type->size + trailing_bytes;
}

/* What it takes: a multiple of 8. */
MEM_INLINE size_t mem_bytes(const mem_type *type, size_t trailing_bytes) {
    return (mem_exact_bytes(type, trailing_bytes) + 7) & ~(size_t)7;
}

MEM_INLINE bool mem_has_edges(const mem_type *type) {
    return type->edge_count > 0 || type->trailing_edge;
}

/* The edge at an offset, as the mem_ref that it is (a slot's word has the same size). */
MEM_INLINE mem_ref *mem_edge_at(void *object, size_t offset) {
    return (mem_ref *)(void *)((char *)object + offset);
}

MEM_INLINE mem_ref *mem_trailing(const mem_type *type, void *object) {
    return mem_edge_at(object, type->size);
}

MEM_INLINE uint32_t *mem_trailing_count(const mem_type *type, void *object) {
    return (uint32_t *)(void *)((char *)object + type->count_offset);
}

/* Sets trailing edges [from, to) of a grown or new object to NULL, and their number to `to`. */
MEM_INLINE void mem_clear_trailing(const mem_type *type, void *object, size_t from, size_t to) {
    if (!type->trailing_edge)
        return;
    for (size_t i = from; i < to; i++)
        mem_put(&mem_trailing(type, object)[i], NULL);
    *mem_trailing_count(type, object) = (uint32_t)to;
}

/* Makes the edges of a new object NULL. */
MEM_INLINE void mem_clear_edges(const mem_type *type, void *object, size_t trailing_bytes) {
    for (uint32_t i = 0; i < type->edge_count; i++)
        mem_put(mem_edge_at(object, type->edges[i].offset), NULL);
    mem_clear_trailing(type, object, 0, trailing_bytes / sizeof(mem_ref));
}

/* Drops every object that `object` owns but the last, and returns that one with its type (NULL if
 * there is none), so that the caller can go on with it in a loop: lists of any length are dropped
 * without recursion where the next node is the last edge (mem.h). Slots count as owned; they are
 * quiet by now. */
static __attribute__((unused)) void *mem_shed(mem_thread *t, mem_scope *s, const mem_type **type,
                                              void *object) {
    const mem_type *of = *type;
    void *last = NULL;
    uint32_t trailing = of->trailing_edge ? *mem_trailing_count(of, object) : 0;
    for (uint32_t i = 0; i < of->edge_count + trailing; i++) {
        bool fixed = i < of->edge_count;
        const mem_edge *edge = fixed ? &of->edges[i] : of->trailing_edge;
        if (edge->kind == MEM_BORROWED)
            continue;
        void *child = mem_get(fixed ? mem_edge_at(object, edge->offset)
                                    : &mem_trailing(of, object)[i - of->edge_count]);
        if (!child)
            continue;
        if (last)
            mem_drop(t, s, *type, last);
        last = child;
        *type = edge->type;
    }
    return last;
}

/* Notices a drop that cascades: begins to time it once it has met MEM_CASCADE_OBJECTS objects, so
 * that ordinary drops read no clock, and logs it as a cause when it has ended. */
struct mem_cascade {
    uint64_t count, begin_ns;
};
MEM_INLINE void mem_cascade_step(struct mem_cascade *cascade, const mem_type *type, void *object) {
    cascade->count += 1 + (type->trailing_edge ? *mem_trailing_count(type, object) : 0);
    if (cascade->count >= MEM_CASCADE_OBJECTS && cascade->begin_ns == 0)
        cascade->begin_ns = clock_now_ns();
}
MEM_INLINE void mem_cascade_end(const struct mem_cascade *cascade) {
    if (cascade->begin_ns > 0)
        host_interval(MEM_CAUSE_CASCADE, cascade->begin_ns, clock_now_ns());
}

#endif
