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
    struct region region = {0};
    mem_scope *s = region_new(&region, &t->store, sizeof *s);
    if (!s)
        host_out_of_memory(region_chunk_bytes);
    s->region = region;
    atomic_init(&s->holders, 1);
    return s;
}

static inline void mem_scope_end(mem_thread *t, mem_scope *s) {
    /* acquire: pairs with the release below of the other holders; alone, nobody else can count */
    if (atomic_load_explicit(&s->holders, memory_order_acquire) != 1 &&
        atomic_fetch_sub_explicit(&s->holders, 1, memory_order_acq_rel) != 1)
        return;
    struct region region = s->region;
    region_free(&region, &t->store);
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

MEM_INLINE void *mem_try_new(mem_thread *t, mem_scope *s, const mem_type *type,
                             size_t trailing_bytes) {
    void *object = region_new(&s->region, &t->store, mem_bytes(type, trailing_bytes));
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

/* In place where the object is the last one and the chunk has room, else by copy. */
MEM_INLINE void *mem_resize(mem_thread *t, mem_scope *s, const mem_type *type, void *object,
                            size_t old_trailing_bytes, size_t new_trailing_bytes) {
    size_t old_bytes = mem_bytes(type, old_trailing_bytes);
    size_t new_bytes = mem_bytes(type, new_trailing_bytes);
    struct region *r = &s->region;
    if ((char *)object + old_bytes == r->at && new_bytes <= (size_t)(r->end - (char *)object)) {
        r->at = (char *)object + new_bytes;
    } else if (new_bytes > old_bytes) {
        void *moved = region_new(r, &t->store, new_bytes);
        if (!moved)
            host_out_of_memory(new_bytes);
        object = memcpy(moved, object, old_bytes);
    }
    mem_clear_trailing(type, object, old_trailing_bytes / sizeof(mem_ref),
                       new_trailing_bytes / sizeof(mem_ref));
    return object;
}

/* What is replaced or dropped lives until the scope ends. */
#include "memory/no_reclaim.h"
