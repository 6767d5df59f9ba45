/* SPDX-License-Identifier: MIT */
/* strategy_arena_talloc.h - talloc: a top-level context per scope, its objects as its children.
 *
 * The context is a pool of `pool` bytes (0: none), from which its first children come without
 * malloc: talloc.h says that pools are for requests that are answered and forgotten, and Samba
 * gives each turn of smbd's loop one of 8192 bytes (talloc_stackframe_pool), so that is the
 * default. What does not fit comes from malloc; what is freed inside a pool is used again only when
 * the pool is empty. talloc has no locks; top-level contexts share nothing as long as nobody tracks
 * NULL. All objects are dropped by the time their scope ends (mem.h): its end frees nothing but the
 * context, so no arena reset is logged. An object of 256 MiB or more is out of memory.
 */
#include "memory/library_objects.h"
#include "memory/parcel.h"

#include <talloc.h>

static size_t talloc_pool_bytes;

static void mem_init(void) {
    talloc_pool_bytes = (size_t)host_tune("pool", 8192);
    /* the first free reads TALLOC_FREE_FILL from the environment into a variable of all threads */
    talloc_free(talloc_new(NULL));
}
static void mem_fini(void) {}

static inline mem_scope *mem_scope_begin(mem_thread *t) {
    (void)t;
    mem_scope *s = talloc_pool_bytes > 0 ? talloc_pool(NULL, talloc_pool_bytes) : talloc_new(NULL);
    if (!s)
        host_out_of_memory(talloc_pool_bytes);
    return s;
}
static inline void mem_scope_end(mem_thread *t, mem_scope *s) {
    (void)t;
    talloc_free(s);
}

MEM_INLINE void *library_new(mem_scope *s, size_t bytes) {
    return talloc_size(s, bytes);
}
MEM_INLINE void *library_resize(mem_scope *s, void *object, size_t bytes) {
    return talloc_realloc_size(s, object, bytes);
}
MEM_INLINE void library_free(void *object) {
    talloc_free(object);
}
