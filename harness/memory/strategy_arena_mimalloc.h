/* SPDX-License-Identifier: MIT */
/* strategy_arena_mimalloc.h - first-class heaps of mimalloc, one per scope, destroyed at its end.
 *
 * A heap allocates on the thread that made it only, so scopes cannot be handed over. All objects
 * are dropped by the time their scope ends (mem.h): mi_heap_destroy finds a few empty pages at
 * most, so no arena reset is logged. Linked behind libc: malloc stays libc's.
 */
#include "memory/library_objects.h"
#include "memory/no_handoff.h"
#include "memory/tsan.h"

#include <mimalloc.h>

#define MIMALLOC_HEAP_BYTES 4096 /* about what a heap's own data takes */

static void mem_init(void) {}
static void mem_fini(void) {}

/* A thread that ends leaves its pages to others, in an order that ThreadSanitizer cannot see: what
 * came before a scope's end comes before the use of what is allocated later. What the library
 * itself writes there (through memset, which is seen) is overlooked. */
static char mimalloc_pages;

/* A scope is its heap. */
MEM_INLINE mi_heap_t *mimalloc_heap(mem_scope *s) {
    return (mi_heap_t *)(void *)s;
}

static inline mem_scope *mem_scope_begin(mem_thread *t) {
    (void)t;
    TSAN_IGNORE_BEGIN();
    mi_heap_t *heap = mi_heap_new();
    TSAN_IGNORE_END();
    if (!heap)
        host_out_of_memory(MIMALLOC_HEAP_BYTES);
    return (mem_scope *)(void *)heap;
}
static inline void mem_scope_end(mem_thread *t, mem_scope *s) {
    (void)t;
    TSAN_RELEASE(&mimalloc_pages);
    mi_heap_destroy(mimalloc_heap(s));
}

MEM_INLINE void *library_new(mem_scope *s, size_t bytes) {
    TSAN_IGNORE_BEGIN();
    void *object = mi_heap_malloc(mimalloc_heap(s), bytes);
    TSAN_IGNORE_END();
    TSAN_ACQUIRE(&mimalloc_pages);
    return object;
}
MEM_INLINE void *library_resize(mem_scope *s, void *object, size_t bytes) {
    TSAN_IGNORE_BEGIN();
    void *resized = mi_heap_realloc(mimalloc_heap(s), object, bytes);
    TSAN_IGNORE_END();
    TSAN_ACQUIRE(&mimalloc_pages);
    return resized;
}
MEM_INLINE void library_free(void *object) {
    mi_free(object);
}
