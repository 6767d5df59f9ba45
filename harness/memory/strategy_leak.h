/* SPDX-License-Identifier: MIT */
/* strategy_leak.h - malloc and nothing ever freed: what no reclamation at all would cost.
 *
 * The lower bound of every other strategy's reclamation work, and its price in memory. Provides
 * everything, since nothing can go wrong by freeing. A resize copies and leaves the old behind, as
 * a slot's readers might still hold it.
 */
#include "memory/no_world.h"
#include "memory/parcel.h"
#include "memory/plain_new.h"
#include "memory/plain_state.h"

struct mem_thread {
    char unused;
};
struct mem_scope {
    char unused;
};
static mem_thread leak_thread;
static mem_scope leak_scope;

static void mem_init(void) {}
static void mem_fini(void) {}
static mem_thread *mem_attach(void) {
    return &leak_thread;
}
static void mem_detach(mem_thread *t) {
    (void)t;
}
static inline mem_scope *mem_scope_begin(mem_thread *t) {
    (void)t;
    return &leak_scope;
}
static inline void mem_scope_end(mem_thread *t, mem_scope *s) {
    (void)t, (void)s;
}

MEM_INLINE void *mem_resize(mem_thread *t, mem_scope *s, const mem_type *type, void *object,
                            size_t old_trailing_bytes, size_t new_trailing_bytes) {
    size_t old_bytes = mem_bytes(type, old_trailing_bytes);
    size_t new_bytes = mem_bytes(type, new_trailing_bytes);
    void *moved = mem_new(t, s, type, new_trailing_bytes);
    memcpy(moved, object, old_bytes < new_bytes ? old_bytes : new_bytes);
    mem_clear_trailing(type, moved, old_trailing_bytes / sizeof(mem_ref),
                       new_trailing_bytes / sizeof(mem_ref));
    return moved;
}

#include "memory/no_reclaim.h"
