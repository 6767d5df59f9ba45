/* SPDX-License-Identifier: MIT */
/* guard_shared_blocks.h - the modes in which objects share the allocator's memory. */
#define GUARD_OWN_BLOCKS false

struct guard_pool {
    char unused[0];
};
MEM_INLINE void *guard_block_new(struct guard_pool *pool, size_t bytes) {
    (void)pool, (void)bytes;
    return NULL; /* never called */
}
