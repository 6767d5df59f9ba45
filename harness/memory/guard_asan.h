/* SPDX-License-Identifier: MIT */
/* guard_asan.h - closes by AddressSanitizer's manual poisoning, exact to the byte at an object's
 * end. */
#include <sanitizer/asan_interface.h>

MEM_INLINE void guard_close(void *at, size_t bytes) {
    __asm__("" : "+r"(at)); /* gcc would warn that what it closes was never written */
    __asan_poison_memory_region(at, bytes);
}
MEM_INLINE void guard_open(void *at, size_t bytes) {
    __asan_unpoison_memory_region(at, bytes);
}
MEM_INLINE void guard_reset(void *at, size_t bytes) {
    guard_close(at, bytes);
}

MEM_INLINE void guard_begin(struct guard_pool *pool) {
    (void)pool;
}
/* The allocator resets the pool's chunks. */
MEM_INLINE void guard_end(struct guard_pool *pool) {
    (void)pool;
}
MEM_INLINE void guard_new(struct guard_pool *pool, void *object, size_t bytes) {
    (void)pool;
    guard_open(object, bytes);
}
MEM_INLINE void guard_check(void *object) {
    (void)*(volatile char *)object;
}
MEM_INLINE void guard_resize(struct guard_pool *pool, void *object, size_t old_bytes,
                             size_t new_bytes) {
    (void)pool;
    guard_close(object, old_bytes);
    guard_open(object, new_bytes);
}
MEM_INLINE void guard_free(struct guard_pool *pool, void *object, size_t bytes) {
    (void)pool;
    guard_close(object, bytes);
}
