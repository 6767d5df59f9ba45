/* SPDX-License-Identifier: MIT */
/* guard_tsan.h - wipes what is given back: a write, so that ThreadSanitizer reports who uses an
 * object without being ordered before its end, as it does with malloc's.
 *
 * No __tsan_release and __tsan_acquire: our allocators are instrumented and hand memory on under
 * locks and atomics that ThreadSanitizer sees. To annotate them would hide where one is missing.
 */
#define GUARD_WIPED 0xdb

MEM_INLINE void guard_reset(void *at, size_t bytes) {
    memset(at, GUARD_WIPED, bytes);
}
MEM_INLINE void guard_open(void *at, size_t bytes) {
    (void)at, (void)bytes;
}
MEM_INLINE void guard_close(void *at, size_t bytes) {
    (void)at, (void)bytes;
}

MEM_INLINE void guard_begin(struct guard_pool *pool) {
    (void)pool;
}
/* The allocator resets the pool's chunks. */
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
    (void)pool;
    guard_reset(object, bytes);
}
