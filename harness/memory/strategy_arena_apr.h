/* SPDX-License-Identifier: MIT */
/* strategy_arena_apr.h - pools of the Apache Portable Runtime, a pool per scope.
 *
 * Each pool has an allocator of its own, which it owns: an allocator without a mutex may have one
 * user at a time only, and so the pool can go to another thread with all its memory. Pools are
 * recycled by apr_pool_clear, which leaves what they grew to on their allocator's free list up to
 * max_free bytes (0: all of it, APR's default). So does httpd's event MPM with the pools of its
 * connections (server/mpm/event, ap_queue_info_push_pool). No abort function is set: APR then
 * returns NULL. The parent is APR's global pool, whose mutex is taken where a pool is created or
 * destroyed. APR hides how much a pool holds: a clear is logged after more than MEM_RESET_BYTES
 * were asked for.
 */
#include <apr_general.h>
#include <apr_pools.h>

struct library_arena {
    apr_pool_t *pool;
    uint64_t asked_bytes; /* since the last reset */
};
#include "memory/library_arena.h"

#define APR_POOL_BYTES 8192 /* what the smallest pool takes */

static apr_size_t apr_max_free_bytes;

static void mem_init(void) {
    apr_max_free_bytes = (apr_size_t)host_tune("max_free", 0);
    if (apr_initialize() != APR_SUCCESS)
        host_out_of_memory(APR_POOL_BYTES);
}
static void mem_fini(void) {
    apr_terminate();
}

static void library_open(struct library_arena *arena) {
    apr_allocator_t *allocator;
    if (apr_allocator_create(&allocator) != APR_SUCCESS)
        host_out_of_memory(APR_POOL_BYTES);
    apr_allocator_max_free_set(allocator, apr_max_free_bytes);
    if (apr_pool_create_ex(&arena->pool, NULL, NULL, allocator) != APR_SUCCESS)
        host_out_of_memory(APR_POOL_BYTES);
    apr_allocator_owner_set(allocator, arena->pool);
}
static void library_reset(struct library_arena *arena) {
    apr_pool_clear(arena->pool);
    arena->asked_bytes = 0;
}
static void library_close(struct library_arena *arena) {
    apr_pool_destroy(arena->pool);
}
MEM_INLINE bool library_gives_much(const struct library_arena *arena) {
    return arena->asked_bytes > MEM_RESET_BYTES;
}

MEM_INLINE void *library_new(struct library_arena *arena, size_t bytes) {
    arena->asked_bytes += bytes;
    return apr_palloc(arena->pool, bytes);
}
MEM_INLINE void *library_resize(struct library_arena *arena, void *object, size_t old_bytes,
                                size_t new_bytes) {
    return library_move(arena, object, old_bytes, new_bytes);
}
