/* SPDX-License-Identifier: MIT */
/* strategy_arena_mimalloc.h - first-class heaps of mimalloc, one per scope, destroyed at its end.
 *
 * mi_heap_destroy frees all that is left in a heap page by page. A heap allocates on the thread
 * that made it only, so scopes cannot be handed over. mimalloc tells what a heap holds only by a
 * visit to all its pages: destroying one is logged after more than MEM_RESET_BYTES were asked for,
 * whether dropped by then or not. Linked behind libc: malloc stays libc's.
 */
#include <mimalloc.h>

struct mem_scope {
    mi_heap_t *heap;
    uint64_t asked_bytes;
};
#include "memory/library_objects.h"
#include "memory/no_handoff.h"

static void mem_init(void) {}
static void mem_fini(void) {}

static inline mem_scope *mem_scope_begin(mem_thread *t) {
    (void)t;
    /* not in its own heap, where it would take a page of its size class */
    mem_scope *s = mi_malloc(sizeof *s);
    mi_heap_t *heap = mi_heap_new();
    if (!s || !heap)
        host_out_of_memory(sizeof *s);
    *s = (mem_scope){.heap = heap};
    return s;
}
static inline void mem_scope_end(mem_thread *t, mem_scope *s) {
    (void)t;
    uint64_t begin_ns = s->asked_bytes > MEM_RESET_BYTES ? clock_now_ns() : 0;
    mi_heap_destroy(s->heap);
    mi_free(s);
    if (begin_ns > 0)
        host_interval(MEM_CAUSE_ARENA_RESET, begin_ns, clock_now_ns());
}

MEM_INLINE void *library_new(mem_scope *s, size_t bytes) {
    s->asked_bytes += bytes;
    return mi_heap_malloc(s->heap, bytes);
}
MEM_INLINE void *library_resize(mem_scope *s, void *object, size_t bytes) {
    s->asked_bytes += bytes;
    return mi_heap_realloc(s->heap, object, bytes);
}
MEM_INLINE void library_free(mem_scope *s, void *object) {
    (void)s;
    mi_free(object);
}
