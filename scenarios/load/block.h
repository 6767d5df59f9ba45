/* SPDX-License-Identifier: MIT */
/* block.h - objects of any size whose bytes follow from their id, for stresses.
 *
 * Before it is included, BLOCK_SMALL_MAX and BLOCK_LARGE_MAX are defined: the greatest sizes of the
 * two types of blocks, in bytes and with their heads. Two, so that a strategy that reserves a
 * type's greatest size (none) does not reserve it for the small ones. Ids of types: 0 and 1.
 *
 * A block is read back whole when it dies, and its hash goes into the checksum of whoever drops it:
 * each that was born dies once, so the sum does not depend on when, by whom or in which order.
 */
#ifndef TAILRACE_LOAD_BLOCK_H
#define TAILRACE_LOAD_BLOCK_H

#include "load/pattern.h"

struct block {
    uint64_t id;
    uint32_t bytes, unused; /* bytes: with this head */
    unsigned char content[];
};
#define BLOCK_BYTES_MIN ((uint32_t)sizeof(struct block))

static const mem_type block_small_type = {.name = "small block",
                                          .id = 0,
                                          .size = sizeof(struct block),
                                          .trailing_max = BLOCK_SMALL_MAX - sizeof(struct block)};
static const mem_type block_large_type = {.name = "large block",
                                          .id = 1,
                                          .size = sizeof(struct block),
                                          .trailing_max = BLOCK_LARGE_MAX - sizeof(struct block)};

static inline bool block_is_large(uint32_t bytes) {
    return bytes > BLOCK_SMALL_MAX;
}

static inline struct block *block_new(mem_thread *t, mem_scope *s, uint64_t id, uint32_t bytes) {
    size_t content_bytes = bytes - sizeof(struct block);
    struct block *block = block_is_large(bytes) ? mem_new(t, s, &block_large_type, content_bytes)
                                                : mem_new(t, s, &block_small_type, content_bytes);
    block->id = id;
    block->bytes = bytes;
    pattern_fill(block->content, content_bytes, id);
    return block;
}

static inline uint64_t block_hash(const struct block *block) {
    if (block->bytes < BLOCK_BYTES_MIN || block->bytes > BLOCK_LARGE_MAX)
        host_violation("an object has a size that no object was given");
    return pattern_hash(block->content, block->bytes - sizeof *block, block->id);
}

/* Puts a block into an edge: by constant types, so that what a type has not folds away. */
static inline void block_set(mem_thread *t, mem_scope *s, void *owner, mem_ref *edge, bool large,
                             struct block *block) {
    if (large)
        mem_set(t, s, owner, edge, &block_large_type, block);
    else
        mem_set(t, s, owner, edge, &block_small_type, block);
}

/* Reads the block back and drops it; returns its hash. */
static inline uint64_t block_die(mem_thread *t, mem_scope *s, struct block *block) {
    uint64_t hash = block_hash(block);
    if (block_is_large(block->bytes))
        mem_drop(t, s, &block_large_type, block);
    else
        mem_drop(t, s, &block_small_type, block);
    return hash;
}

#endif
