/* SPDX-License-Identifier: MIT */
/* guard_passthrough.h - each object is a malloc of its own, freed when it is dropped or its pool
 * ends.
 *
 * A pool knows its blocks by a set beside them, so that a block is the object and nothing else:
 * open addressing with linear probing, at most half full, no deletion marks.
 */
#include <stdlib.h>

#define GUARD_OWN_BLOCKS true
#define GUARD_EXACT true
#define GUARD_REDZONE_BYTES ((size_t)0)
#define GUARD_SLOTS_MIN 64

struct guard_pool {
    void **slots;
    size_t count, slot_count; /* slot_count: a power of 2 */
};

static size_t guard_home(const struct guard_pool *pool, const void *block) {
    return (((uintptr_t)block >> 4) * 0x9e3779b97f4a7c15u >> 32) & (pool->slot_count - 1);
}

/* The slot that holds the block, or the empty one where it would be. */
static size_t guard_slot(const struct guard_pool *pool, const void *block) {
    size_t i = guard_home(pool, block);
    while (pool->slots[i] && pool->slots[i] != block)
        i = (i + 1) & (pool->slot_count - 1);
    return i;
}

static bool guard_grow(struct guard_pool *pool) {
    struct guard_pool larger = {.count = pool->count,
                                .slot_count = pool->slots ? 2 * pool->slot_count : GUARD_SLOTS_MIN};
    larger.slots = calloc(larger.slot_count, sizeof *larger.slots);
    if (!larger.slots)
        return false;
    for (size_t i = 0; i < pool->slot_count; i++)
        if (pool->slots[i])
            larger.slots[guard_slot(&larger, pool->slots[i])] = pool->slots[i];
    free(pool->slots);
    *pool = larger;
    return true;
}

static void *guard_block_new(struct guard_pool *pool, size_t bytes) {
    if (2 * pool->count >= pool->slot_count && !guard_grow(pool))
        return NULL;
    void *block = malloc(bytes);
    if (!block)
        return NULL;
    pool->slots[guard_slot(pool, block)] = block;
    pool->count++;
    return block;
}

/* Moves those behind the removed one up to where they are found without it. */
static void guard_remove(struct guard_pool *pool, size_t hole) {
    size_t mask = pool->slot_count - 1;
    for (size_t i = (hole + 1) & mask; pool->slots[i]; i = (i + 1) & mask) {
        size_t home = guard_home(pool, pool->slots[i]);
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            pool->slots[hole] = pool->slots[i];
            hole = i;
        }
    }
    pool->slots[hole] = NULL;
    pool->count--;
}

/* A block that is not the pool's is freed all the same: tools see the double free. */
static void guard_free(struct guard_pool *pool, void *object, size_t bytes) {
    (void)bytes;
    size_t i = pool->slots ? guard_slot(pool, object) : 0;
    if (pool->slots && pool->slots[i])
        guard_remove(pool, i);
    free(object);
}

static void guard_end(struct guard_pool *pool) {
    for (size_t i = 0; i < pool->slot_count; i++)
        free(pool->slots[i]);
    free(pool->slots);
}

MEM_INLINE void guard_begin(struct guard_pool *pool) {
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
MEM_INLINE void guard_reset(void *at, size_t bytes) {
    (void)at, (void)bytes;
}
MEM_INLINE void guard_open(void *at, size_t bytes) {
    (void)at, (void)bytes;
}
MEM_INLINE void guard_close(void *at, size_t bytes) {
    (void)at, (void)bytes;
}
