/* SPDX-License-Identifier: MIT */
/* strategy_arena_pool.h - an arena whose scopes also take single objects back, by size class.
 *
 * A dropped object goes on its class's free list in the scope; what is still there at the scope's
 * end goes with the chunks. An object of a type with trailing bytes carries its class in 8 bytes
 * before it, one of fixed size carries nothing. Sound because a scope has one user at a time
 * (mem.h).
 */
#include "memory/no_keep.h"
#include "memory/no_slots.h"
#include "memory/no_world.h"
#include "memory/parcel.h"
#include "memory/plain_edges.h"
#include "memory/plain_state.h"
#include "memory/region.h"
#include "memory/size_class.h"

#define POOL_HEADER_BYTES 8

struct pool_free {
    struct pool_free *next;
};
struct mem_scope {
    struct region region;
    struct pool_free *free[SIZE_CLASS_COUNT];
};

static inline mem_scope *mem_scope_begin(mem_thread *t) {
    struct region region = {0};
    mem_scope *s = region_new(&region, &t->store, sizeof *s);
    if (!s)
        host_out_of_memory(region_chunk_bytes);
    memset(s, 0, sizeof *s);
    s->region = region;
    return s;
}

static inline void mem_scope_end(mem_thread *t, mem_scope *s) {
    struct region region = s->region;
    region_free(&region, &t->store);
}

MEM_INLINE void *pool_take(mem_thread *t, mem_scope *s, uint32_t class) {
    if (class >= SIZE_CLASS_COUNT)
        return NULL;
    struct pool_free *object = s->free[class];
    if (!object)
        return region_new(&s->region, &t->store, size_class_bytes(class));
    s->free[class] = object->next;
    return object;
}

MEM_INLINE void *mem_try_new(mem_thread *t, mem_scope *s, const mem_type *type,
                             size_t trailing_bytes) {
    bool header = type->trailing_max > 0;
    uint32_t class =
        size_class_of(mem_bytes(type, trailing_bytes) + (header ? POOL_HEADER_BYTES : 0));
    char *object = pool_take(t, s, class);
    if (!MEM_LIKELY(object))
        return NULL;
    if (header) {
        *(uint32_t *)(void *)object = class;
        object += POOL_HEADER_BYTES;
    }
    mem_clear_edges(type, object, trailing_bytes);
    return object;
}

MEM_INLINE void *mem_new(mem_thread *t, mem_scope *s, const mem_type *type, size_t trailing_bytes) {
    void *object = mem_try_new(t, s, type, trailing_bytes);
    if (MEM_LIKELY(object))
        return object;
    host_out_of_memory(mem_bytes(type, trailing_bytes));
}

MEM_INLINE void pool_give(mem_scope *s, const mem_type *type, void *object) {
    uint32_t class = size_class_of(mem_bytes(type, 0));
    if (type->trailing_max > 0) {
        object = (char *)object - POOL_HEADER_BYTES;
        class = *(uint32_t *)object;
    }
    struct pool_free *free = object;
    free->next = s->free[class];
    s->free[class] = free;
}

/* Every object that is resized has trailing bytes, so it carries its class. */
MEM_INLINE void *mem_resize(mem_thread *t, mem_scope *s, const mem_type *type, void *object,
                            size_t old_trailing_bytes, size_t new_trailing_bytes) {
    uint32_t class = *(uint32_t *)(void *)((char *)object - POOL_HEADER_BYTES);
    if (mem_bytes(type, new_trailing_bytes) + POOL_HEADER_BYTES > size_class_bytes(class)) {
        void *moved = mem_new(t, s, type, new_trailing_bytes);
        memcpy(moved, object, mem_bytes(type, old_trailing_bytes));
        pool_give(s, type, object);
        object = moved;
    }
    mem_clear_trailing(type, object, old_trailing_bytes / sizeof(mem_ref),
                       new_trailing_bytes / sizeof(mem_ref));
    return object;
}

static __attribute__((unused)) void pool_drop_linked(mem_thread *t, mem_scope *s,
                                                     const mem_type *type, void *object) {
    struct mem_cascade cascade = {0};
    while (object) {
        const mem_type *of = type;
        mem_cascade_step(&cascade, type, object);
        void *rest = mem_shed(t, s, &type, object);
        pool_give(s, of, object);
        object = rest;
    }
    mem_cascade_end(&cascade);
}

MEM_INLINE void mem_drop(mem_thread *t, mem_scope *s, const mem_type *type, void *object) {
    if (mem_has_edges(type))
        pool_drop_linked(t, s, type, object);
    else if (object)
        pool_give(s, type, object);
}
