/* SPDX-License-Identifier: MIT */
/* strategy_malloc.h - malloc and free of single objects by their owner, as C programs do by hand.
 *
 * No headers, no scopes: types travel on drop, so an object is just what malloc gave.
 */
#include "memory/no_keep.h"
#include "memory/no_slots.h"
#include "memory/no_world.h"
#include "memory/parcel.h"
#include "memory/plain_edges.h"
#include "memory/plain_state.h"

struct mem_thread {
    char unused;
};
struct mem_scope {
    char unused;
};
static mem_thread malloc_thread;
static mem_scope malloc_scope;

static void mem_init(void) {}
static void mem_fini(void) {}
static mem_thread *mem_attach(void) {
    return &malloc_thread;
}
static void mem_detach(mem_thread *t) {
    (void)t;
}
static inline mem_scope *mem_scope_begin(mem_thread *t) {
    (void)t;
    return &malloc_scope;
}
static inline void mem_scope_end(mem_thread *t, mem_scope *s) {
    (void)t, (void)s;
}

MEM_INLINE void *mem_try_new(mem_thread *t, mem_scope *s, const mem_type *type,
                             size_t trailing_bytes) {
    (void)t, (void)s;
    void *object = malloc(mem_bytes(type, trailing_bytes));
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
    (void)t, (void)s;
    object = realloc(object, mem_bytes(type, new_trailing_bytes));
    if (!object)
        host_out_of_memory(mem_bytes(type, new_trailing_bytes));
    mem_clear_trailing(type, object, old_trailing_bytes / sizeof(mem_ref),
                       new_trailing_bytes / sizeof(mem_ref));
    return object;
}

static __attribute__((unused)) void malloc_drop_linked(mem_thread *t, mem_scope *s,
                                                       const mem_type *type, void *object) {
    struct mem_cascade cascade = {0};
    while (object) {
        mem_cascade_step(&cascade, type, object);
        void *rest = mem_shed(t, s, &type, object);
        free(object);
        object = rest;
    }
    mem_cascade_end(&cascade);
}

MEM_INLINE void mem_drop(mem_thread *t, mem_scope *s, const mem_type *type, void *object) {
    if (mem_has_edges(type))
        malloc_drop_linked(t, s, type, object);
    else
        free(object);
}
