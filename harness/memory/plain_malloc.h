/* SPDX-License-Identifier: MIT */
/* plain_malloc.h - objects of strategies that malloc and free them by their owner.
 *
 * No header: types travel on drop, so an object is just what malloc gave. mem_give_up_slots is
 * no_slots.h's or the strategy's, defined before.
 */
#include "memory/plain_new.h"

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

/* Frees an object with all that it owns. */
static __attribute__((unused)) void plain_free_linked(mem_thread *t, mem_scope *s,
                                                      const mem_type *type, void *object,
                                                      struct mem_cascade *cascade) {
    while (object) {
        mem_cascade_step(cascade, type, object);
        mem_give_up_slots(t, type, object);
        void *rest = mem_shed(t, s, &type, object);
        free(object);
        object = rest;
    }
}

static __attribute__((unused)) void plain_drop_linked(mem_thread *t, mem_scope *s,
                                                      const mem_type *type, void *object) {
    struct mem_cascade cascade = {0};
    plain_free_linked(t, s, type, object, &cascade);
    mem_cascade_end(&cascade);
}

MEM_INLINE void mem_drop(mem_thread *t, mem_scope *s, const mem_type *type, void *object) {
    if (mem_has_edges(type))
        plain_drop_linked(t, s, type, object);
    else
        free(object);
}
