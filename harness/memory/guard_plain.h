/* SPDX-License-Identifier: MIT */
/* guard_plain.h - no tool is told anything. */
#include "memory/guard_shared_blocks.h"
#define GUARD_EXACT false
#define GUARD_REDZONE_BYTES ((size_t)0)

MEM_INLINE void guard_begin(struct guard_pool *pool) {
    (void)pool;
}
MEM_INLINE void guard_end(struct guard_pool *pool) {
    (void)pool;
}
MEM_INLINE void guard_new(struct guard_pool *pool, void *object, size_t bytes) {
    (void)pool, (void)object, (void)bytes;
}
MEM_INLINE void guard_check(void *object) {
    (void)object;
}
MEM_INLINE void guard_resize(struct guard_pool *pool, void *object, size_t old_bytes,
                             size_t new_bytes) {
    (void)pool, (void)object, (void)old_bytes, (void)new_bytes;
}
MEM_INLINE void guard_free(struct guard_pool *pool, void *object, size_t bytes) {
    (void)pool, (void)object, (void)bytes;
}
MEM_INLINE void guard_reset(void *at, size_t bytes) {
    (void)at, (void)bytes;
}
MEM_INLINE void guard_open(void *at, size_t bytes) {
    (void)at, (void)bytes;
}
MEM_INLINE void guard_close(void *at, size_t bytes) {
    (void)at, (void)bytes;
}
