/* SPDX-License-Identifier: MIT */
/* stress_block.h - an object whose every byte follows from its id, and threads of a scenario's own.
 *
 * Whoever drops a block reads it back first: a block that another one overlaps, that was given out
 * twice or back too early is told as such. What a scenario adds up is what its blocks held when
 * they died, on whichever thread: the sum over all that were made, so it depends on no order.
 */
#ifndef TAILRACE_LOAD_STRESS_BLOCK_H
#define TAILRACE_LOAD_STRESS_BLOCK_H

#include "memory/scenario.h"

#define BLOCK_WORD sizeof(uint64_t) /* the least size of a block */
#define OWN_STACK_BYTES ((size_t)256 << 10)

/* No member tells the size: it follows from the id too, so that sizes are what was published. */
struct block {
    uint64_t id;
    unsigned char rest[];
};

static inline uint64_t block_word(uint64_t id, size_t at) {
    return id + at * RNG_GOLDEN;
}

static inline void block_write(struct block *block, uint64_t id, size_t bytes) {
    size_t rest = bytes - BLOCK_WORD, at = 0;
    uint64_t word;
    block->id = id;
    for (; at + BLOCK_WORD <= rest; at += BLOCK_WORD) {
        word = block_word(id, at + BLOCK_WORD);
        memcpy(block->rest + at, &word, sizeof word);
    }
    word = block_word(id, at + BLOCK_WORD);
    for (; at < rest; at++, word >>= 8)
        block->rest[at] = (unsigned char)word;
}

static inline struct block *block_new(mem_thread *t, mem_scope *s, const mem_type *type,
                                      uint64_t id, size_t bytes) {
    struct block *block = mem_new(t, s, type, bytes - BLOCK_WORD);
    block_write(block, id, bytes);
    return block;
}

/* The hash of what the block of that id and size holds, all of it read back. */
static inline uint64_t block_read(const struct block *block, uint64_t id, size_t bytes) {
    size_t rest = bytes - BLOCK_WORD, at = 0;
    uint64_t word, sum = block->id, wrong = sum ^ id;
    for (; at + BLOCK_WORD <= rest; at += BLOCK_WORD) {
        memcpy(&word, block->rest + at, sizeof word);
        wrong |= word ^ block_word(id, at + BLOCK_WORD);
        sum = sum * 31 + word;
    }
    word = block_word(id, at + BLOCK_WORD);
    for (; at < rest; at++, word >>= 8) {
        wrong |= block->rest[at] ^ (word & 0xff);
        sum = sum * 31 + block->rest[at];
    }
    if (wrong)
        host_violation("stress: a block does not hold what was written to it");
    return hash_pair(id, sum);
}

/* Starts a thread of the scenario's own. */
static inline pthread_t own_thread(void *(*main)(void *), void *argument) {
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, OWN_STACK_BYTES);
    if (pthread_create(&thread, &attributes, main, argument) != 0)
        host_out_of_memory(OWN_STACK_BYTES);
    pthread_attr_destroy(&attributes);
    return thread;
}

/* Waits for it to end; t is not in block. */
static inline void own_thread_join(mem_thread *t, pthread_t thread) {
    mem_block(t);
    pthread_join(thread, NULL);
    mem_unblock(t);
}

#endif
