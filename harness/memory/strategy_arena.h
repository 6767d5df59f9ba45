/* SPDX-License-Identifier: MIT */
/* strategy_arena.h - bump allocation; everything is freed at once when the last holder ends the
 * scope.
 *
 * The scope itself lies in its first chunk, so that an empty scope costs one chunk from the
 * thread's store and no malloc. A scope sent to several receivers counts its holders; the count's
 * release pairs with the acquire of the last holder, who frees.
 */
#include "memory/no_world.h"
#include "memory/plain_state.h"
#include "memory/region.h"

struct mem_scope {
    struct region region;
    _Atomic uint32_t holders;
};

static inline mem_scope *mem_scope_begin(mem_thread *t) {
    mem_scope *s = region_begin(&t->store, sizeof *s);
    guard_begin(&s->region.guard);
    atomic_init(&s->holders, 1);
    return s;
}

static inline void mem_scope_end(mem_thread *t, mem_scope *s) {
    /* acquire: pairs with the release below of the other holders; alone, nobody else can count */
    if (atomic_load_explicit(&s->holders, memory_order_acquire) != 1 &&
        atomic_fetch_sub_explicit(&s->holders, 1, memory_order_acq_rel) != 1)
        return;
    guard_end(&s->region.guard);
    region_free(&s->region, &t->store);
}

static inline mem_parcel mem_send(mem_thread *t, mem_scope *s, const mem_type *type, void *object,
                                  uint32_t receivers) {
    (void)t, (void)type;
    /* relaxed: the queue that carries the parcel orders it */
    atomic_fetch_add_explicit(&s->holders, receivers - 1, memory_order_relaxed);
    return (mem_parcel){.scope = s, .object = object};
}
static inline void *mem_receive(mem_thread *t, const mem_parcel *parcel, mem_scope **s) {
    (void)t;
    *s = parcel->scope;
    return parcel->object;
}

/* An object's room in its chunk. */
MEM_INLINE size_t arena_bytes(const mem_type *type, size_t trailing_bytes) {
    return mem_bytes(type, trailing_bytes) + GUARD_REDZONE_BYTES;
}

/* An object without its edges; NULL where memory ran out. */
MEM_INLINE void *arena_take(mem_thread *t, mem_scope *s, const mem_type *type,
                            size_t trailing_bytes) {
    struct region *r = &s->region;
    size_t bytes = mem_exact_bytes(type, trailing_bytes);
    void *object = GUARD_OWN_BLOCKS ? guard_block_new(&r->guard, bytes)
                                    : region_new(r, &t->store, arena_bytes(type, trailing_bytes));
    if (MEM_LIKELY(object))
        guard_new(&r->guard, object, bytes);
    return object;
}

MEM_INLINE void *mem_try_new(mem_thread *t, mem_scope *s, const mem_type *type,
                             size_t trailing_bytes) {
    void *object = arena_take(t, s, type, trailing_bytes);
    if (MEM_LIKELY(object))
        mem_clear_edges(type, object, trailing_bytes);
    return object;
}

MEM_INLINE void *mem_new(mem_thread *t, mem_scope *s, const mem_type *type, size_t trailing_bytes) {
    void *object = mem_try_new(t, s, type, trailing_bytes);
    if (MEM_LIKELY(object))
        return object;
    host_out_of_memory(mem_bytes(type, trailing_bytes));
}

/* In place where the object shrinks, or is the last one and the chunk has room; else by copy. */
MEM_INLINE void *mem_resize(mem_thread *t, mem_scope *s, const mem_type *type, void *object,
                            size_t old_trailing_bytes, size_t new_trailing_bytes) {
    struct region *r = &s->region;
    size_t old_bytes = mem_exact_bytes(type, old_trailing_bytes);
    size_t new_bytes = mem_exact_bytes(type, new_trailing_bytes);
    size_t old_room = arena_bytes(type, old_trailing_bytes);
    size_t new_room = arena_bytes(type, new_trailing_bytes);
    if (!GUARD_OWN_BLOCKS && (char *)object + old_room == r->at &&
        new_room <= (size_t)(r->end - (char *)object)) {
        r->at = (char *)object + new_room;
        guard_resize(&r->guard, object, old_bytes, new_bytes);
    } else if (GUARD_OWN_BLOCKS || new_room > old_room) {
        void *moved = arena_take(t, s, type, new_trailing_bytes);
        if (!moved)
            host_out_of_memory(new_room);
        void *old = object;
        object =
            memcpy(moved, old, region_moved_bytes(type, old_trailing_bytes, new_trailing_bytes));
        guard_free(&r->guard, old, old_bytes);
    } else {
        guard_resize(&r->guard, object, old_bytes, new_bytes);
    }
    mem_clear_trailing(type, object, old_trailing_bytes / sizeof(mem_ref),
                       new_trailing_bytes / sizeof(mem_ref));
    return object;
}

/* What is replaced or dropped lives until the scope ends. */
#include "memory/no_reclaim.h"
