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
    mem_scope *s = region_begin(&t->store, sizeof *s);
    memset(s->free, 0, sizeof s->free);
    guard_begin(&s->region.guard);
    return s;
}

static inline void mem_scope_end(mem_thread *t, mem_scope *s) {
    guard_end(&s->region.guard);
    region_free(&s->region, &t->store);
}

MEM_INLINE void *pool_take(mem_thread *t, mem_scope *s, uint32_t class) {
    if (class >= SIZE_CLASS_COUNT)
        return NULL;
    struct pool_free *room = s->free[class];
    if (!room)
        return region_new(&s->region, &t->store, size_class_bytes(class));
    guard_open(room, sizeof *room);
    s->free[class] = room->next;
    guard_close(room, sizeof *room);
    return room;
}

/* The place of an object, with its class before it; NULL where memory ran out. */
MEM_INLINE void *pool_place(mem_thread *t, mem_scope *s, const mem_type *type,
                            size_t trailing_bytes) {
    size_t header_bytes = type->trailing_max > 0 ? POOL_HEADER_BYTES : 0;
    uint32_t class =
        size_class_of(mem_bytes(type, trailing_bytes) + header_bytes + GUARD_REDZONE_BYTES);
    char *room = pool_take(t, s, class);
    if (!MEM_LIKELY(room))
        return NULL;
    if (header_bytes > 0) {
        guard_open(room, header_bytes);
        *(uint32_t *)(void *)room = class;
        guard_close(room, header_bytes);
    }
    return room + header_bytes;
}

MEM_INLINE void *mem_try_new(mem_thread *t, mem_scope *s, const mem_type *type,
                             size_t trailing_bytes) {
    struct guard_pool *guard = &s->region.guard;
    size_t bytes = mem_exact_bytes(type, trailing_bytes);
    void *object =
        GUARD_OWN_BLOCKS ? guard_block_new(guard, bytes) : pool_place(t, s, type, trailing_bytes);
    if (!MEM_LIKELY(object))
        return NULL;
    guard_new(guard, object, bytes);
    mem_clear_edges(type, object, trailing_bytes);
    return object;
}

MEM_INLINE void *mem_new(mem_thread *t, mem_scope *s, const mem_type *type, size_t trailing_bytes) {
    void *object = mem_try_new(t, s, type, trailing_bytes);
    if (MEM_LIKELY(object))
        return object;
    host_out_of_memory(mem_bytes(type, trailing_bytes));
}

/* The class that stands at the beginning of an object's room. */
MEM_INLINE uint32_t pool_class(void *room) {
    guard_open(room, POOL_HEADER_BYTES);
    uint32_t class = *(uint32_t *)room;
    guard_close(room, POOL_HEADER_BYTES);
    return class;
}

MEM_INLINE void pool_give(mem_scope *s, const mem_type *type, void *object) {
    struct guard_pool *guard = &s->region.guard;
    if (GUARD_OWN_BLOCKS) {
        guard_free(guard, object, mem_exact_bytes(type, 0));
        return;
    }
    guard_check(object);
    void *room = object;
    uint32_t class = size_class_of(mem_bytes(type, 0) + GUARD_REDZONE_BYTES);
    if (type->trailing_max > 0) {
        room = (char *)object - POOL_HEADER_BYTES;
        class = pool_class(room);
    }
    guard_free(guard, object, size_class_bytes(class) - (size_t)((char *)object - (char *)room));
    struct pool_free *free = room;
    guard_open(free, sizeof *free);
    free->next = s->free[class];
    s->free[class] = free;
    guard_close(free, sizeof *free);
}

/* Every object that is resized has trailing bytes, so it carries its class. */
MEM_INLINE void *mem_resize(mem_thread *t, mem_scope *s, const mem_type *type, void *object,
                            size_t old_trailing_bytes, size_t new_trailing_bytes) {
    size_t old_bytes = mem_exact_bytes(type, old_trailing_bytes);
    size_t new_bytes = mem_exact_bytes(type, new_trailing_bytes);
    if (GUARD_OWN_BLOCKS ||
        mem_bytes(type, new_trailing_bytes) + POOL_HEADER_BYTES + GUARD_REDZONE_BYTES >
            size_class_bytes(pool_class((char *)object - POOL_HEADER_BYTES))) {
        void *moved = mem_new(t, s, type, new_trailing_bytes);
        memcpy(moved, object, region_moved_bytes(type, old_trailing_bytes, new_trailing_bytes));
        pool_give(s, type, object);
        object = moved;
    } else {
        guard_resize(&s->region.guard, object, old_bytes, new_bytes);
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
