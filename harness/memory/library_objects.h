/* SPDX-License-Identifier: MIT */
/* library_objects.h - objects of a library whose scopes also take single ones back: what talloc's
 * contexts and mimalloc's heaps have in common.
 *
 * A strategy includes this and defines init, fini, begin, end, send, receive and the library_ calls
 * below. Sound because a scope has one user at a time (mem.h).
 */
#include "memory/no_keep.h"
#include "memory/no_slots.h"
#include "memory/no_world.h"
#include "memory/plain_edges.h"
#include "memory/plain_state.h"

struct mem_thread {
    char unused;
};
static mem_thread library_thread;

static mem_thread *mem_attach(void) {
    return &library_thread;
}
static void mem_detach(mem_thread *t) {
    (void)t;
}

/* NULL where memory ran out. */
MEM_INLINE void *library_new(mem_scope *s, size_t bytes);
MEM_INLINE void *library_resize(mem_scope *s, void *object, size_t bytes);
MEM_INLINE void library_free(void *object);

MEM_INLINE void *mem_try_new(mem_thread *t, mem_scope *s, const mem_type *type,
                             size_t trailing_bytes) {
    (void)t;
    void *object = library_new(s, mem_bytes(type, trailing_bytes));
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

MEM_INLINE void *mem_resize(mem_thread *t, mem_scope *s, const mem_type *type, void *object,
                            size_t old_trailing_bytes, size_t new_trailing_bytes) {
    (void)t;
    object = library_resize(s, object, mem_bytes(type, new_trailing_bytes));
    if (!object)
        host_out_of_memory(mem_bytes(type, new_trailing_bytes));
    mem_clear_trailing(type, object, old_trailing_bytes / sizeof(mem_ref),
                       new_trailing_bytes / sizeof(mem_ref));
    return object;
}

static __attribute__((unused)) void library_drop_linked(mem_thread *t, mem_scope *s,
                                                        const mem_type *type, void *object) {
    struct mem_cascade cascade = {0};
    while (object) {
        mem_cascade_step(&cascade, type, object);
        void *rest = mem_shed(t, s, &type, object);
        library_free(object);
        object = rest;
    }
    mem_cascade_end(&cascade);
}

MEM_INLINE void mem_drop(mem_thread *t, mem_scope *s, const mem_type *type, void *object) {
    if (mem_has_edges(type))
        library_drop_linked(t, s, type, object);
    else if (object)
        library_free(object);
}
