/* SPDX-License-Identifier: MIT */
/* stress_block.h - an object whose every byte follows from its id.
 *
 * Whoever drops a block reads it back first: a block that another one overlaps, that was given out
 * twice or back too early is told as such. What a scenario adds up is what its blocks held when
 * they died, on whichever thread: the sum over all that were made, so it depends on no order.
 */
#ifndef TAILRACE_LOAD_STRESS_BLOCK_H
#define TAILRACE_LOAD_STRESS_BLOCK_H

#include "load/pattern.h"

#define BLOCK_WORD sizeof(uint64_t) /* the least size of a block */

/* No member tells the size: it follows from the id too, so that sizes are what was published. */
struct block {
    uint64_t id;
    unsigned char rest[];
};

/* What is at a multiple of BLOCK_WORD in it. */
static inline uint64_t block_word(uint64_t id, size_t at) {
    return at == 0 ? id : pattern_word(id, at / BLOCK_WORD - 1);
}

static inline void block_write(struct block *block, uint64_t id, size_t bytes) {
    block->id = id;
    pattern_fill(block->rest, bytes - BLOCK_WORD, id);
}

static inline struct block *block_new(mem_thread *t, mem_scope *s, const mem_type *type,
                                      uint64_t id, size_t bytes) {
    struct block *block = mem_new(t, s, type, bytes - BLOCK_WORD);
    block_write(block, id, bytes);
    return block;
}

/* The hash of what the block of that id and size holds, all of it read back. */
static inline uint64_t block_read(const struct block *block, uint64_t id, size_t bytes) {
    if (block->id != id)
        host_violation("stress: a block does not hold what was written to it");
    return pattern_hash(block->rest, bytes - BLOCK_WORD, id);
}

#endif
