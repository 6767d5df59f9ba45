/* SPDX-License-Identifier: MIT */
/* strategy_arena_talloc.h - talloc: a top-level context per scope, its objects as its children.
 *
 * The context is a pool of `pool` bytes (0: none), from which its first children come without
 * malloc: talloc.h says that pools are for requests that are answered and forgotten, and Samba
 * gives each request of smbd one of 8192 bytes, so that is the default. What does not fit comes
 * from malloc; what is freed inside a pool is used again only when the pool is empty. talloc has no
 * locks; top-level contexts share nothing as long as nobody tracks NULL. Ending a scope frees the
 * children one by one, so it is logged for more of them than a cascade needs.
 */
#include <talloc.h>

struct mem_scope {
    uint64_t object_count;
};
#include "memory/library_objects.h"
#include "memory/parcel.h"

static size_t talloc_pool_bytes;

static void mem_init(void) {
    talloc_pool_bytes = (size_t)host_tune("pool", 8192);
    /* the first free reads TALLOC_FREE_FILL from the environment into a variable of all threads */
    talloc_free(talloc_new(NULL));
}
static void mem_fini(void) {}

static inline mem_scope *mem_scope_begin(mem_thread *t) {
    (void)t;
    mem_scope *s = talloc_pool_bytes > 0
                       ? talloc_pooled_object(NULL, mem_scope, 0, talloc_pool_bytes)
                       : talloc(NULL, mem_scope);
    if (!s)
        host_out_of_memory(sizeof *s + talloc_pool_bytes);
    s->object_count = 0;
    return s;
}
static inline void mem_scope_end(mem_thread *t, mem_scope *s) {
    (void)t;
    uint64_t begin_ns = s->object_count > MEM_CASCADE_OBJECTS ? clock_now_ns() : 0;
    talloc_free(s);
    if (begin_ns > 0)
        host_interval(MEM_CAUSE_ARENA_RESET, begin_ns, clock_now_ns());
}

MEM_INLINE void *library_new(mem_scope *s, size_t bytes) {
    void *object = talloc_size(s, bytes);
    s->object_count += object != NULL;
    return object;
}
MEM_INLINE void *library_resize(mem_scope *s, void *object, size_t bytes) {
    return talloc_realloc_size(s, object, bytes);
}
MEM_INLINE void library_free(mem_scope *s, void *object) {
    s->object_count--;
    talloc_free(object);
}
