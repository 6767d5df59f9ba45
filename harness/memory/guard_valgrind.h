/* SPDX-License-Identifier: MIT */
/* guard_valgrind.h - closes by memcheck's client requests: no more than a few instructions each
 * where the program does not run under Valgrind (Debian: valgrind has the header). */
#include <valgrind/memcheck.h>

MEM_INLINE void guard_close(void *at, size_t bytes) {
    VALGRIND_MAKE_MEM_NOACCESS(at, bytes);
}
MEM_INLINE void guard_open(void *at, size_t bytes) {
    VALGRIND_MAKE_MEM_DEFINED(at, bytes);
}
MEM_INLINE void guard_reset(void *at, size_t bytes) {
    guard_close(at, bytes);
}

/* memcheck knows a pool by its address, and each object in it with where it was allocated; it tells
 * a use within the redzone as one of that object, a use after its end only as one of the chunk. */
MEM_INLINE void guard_begin(struct guard_pool *pool) {
    VALGRIND_CREATE_MEMPOOL(pool, GUARD_REDZONE_BYTES, 0);
}
MEM_INLINE void guard_end(struct guard_pool *pool) {
    VALGRIND_DESTROY_MEMPOOL(pool);
}
MEM_INLINE void guard_new(struct guard_pool *pool, void *object, size_t bytes) {
    VALGRIND_MEMPOOL_ALLOC(pool, object, bytes);
}
MEM_INLINE void guard_check(void *object) {
    VALGRIND_CHECK_MEM_IS_ADDRESSABLE(object, 1);
}
MEM_INLINE void guard_resize(struct guard_pool *pool, void *object, size_t old_bytes,
                             size_t new_bytes) {
    VALGRIND_MEMPOOL_CHANGE(pool, object, object, new_bytes);
    if (new_bytes > old_bytes)
        VALGRIND_MAKE_MEM_UNDEFINED((char *)object + old_bytes, new_bytes - old_bytes);
    else
        VALGRIND_MAKE_MEM_NOACCESS((char *)object + new_bytes, old_bytes - new_bytes);
}
MEM_INLINE void guard_free(struct guard_pool *pool, void *object, size_t bytes) {
    VALGRIND_MEMPOOL_FREE(pool, object);
    guard_close(object, bytes);
}
