/* SPDX-License-Identifier: MIT */
/* stress_batch.h - many blocks that one thread makes and another one gives back: xmalloc-test's
 * batch (Lever, Boreham: malloc() Performance in a Multithreaded Linux Environment, 2000). */
#ifndef TAILRACE_LOAD_STRESS_BATCH_H
#define TAILRACE_LOAD_STRESS_BATCH_H

#include "load/stress_block.h"

#define BATCH_BLOCKS_MAX 4096
#define BATCH_BLOCK_BYTES_MAX 2048

/* What xmalloc-test draws from where it is told no size. */
static const uint16_t batch_sizes[] = {8,   12,  16,  24,  32,  48,   64,   96,  128,
                                       192, 256, 384, 512, 768, 1024, 1536, 2048};

/* Ids and sizes of the blocks follow from `first`, and from `bytes` unless that is 0. */
struct batch {
    uint64_t first;
    uint32_t count, bytes;
    mem_ref blocks[]; /* owned */
};
static const mem_type block_type = {.name = "block",
                                    .id = 0,
                                    .size = sizeof(struct block),
                                    .trailing_max = BATCH_BLOCK_BYTES_MAX - sizeof(struct block)};
static const mem_edge batch_edge = {0, MEM_OWNED, &block_type};
static const mem_type batch_type = {.name = "batch",
                                    .id = 1,
                                    .size = sizeof(struct batch),
                                    .trailing_max = BATCH_BLOCKS_MAX * sizeof(mem_ref),
                                    .trailing_edge = &batch_edge,
                                    .count_offset = offsetof(struct batch, count)};

static inline uint64_t batch_block_id(uint64_t first, uint32_t k) {
    return hash_pair(first, k);
}
static inline size_t batch_block_bytes(uint32_t bytes, uint64_t id) {
    return bytes ? bytes : batch_sizes[id % (sizeof batch_sizes / sizeof *batch_sizes)];
}

static struct batch *batch_new(mem_thread *t, mem_scope *s, uint64_t first, uint32_t count,
                               uint32_t bytes) {
    struct batch *batch = mem_new(t, s, &batch_type, count * sizeof(mem_ref));
    batch->first = first;
    batch->bytes = bytes;
    for (uint32_t k = 0; k < count; k++) {
        uint64_t id = batch_block_id(first, k);
        mem_set(t, s, batch, &batch->blocks[k], &block_type,
                block_new(t, s, &block_type, id, batch_block_bytes(bytes, id)));
    }
    return batch;
}

static inline uint64_t batch_read_block(const struct batch *batch, uint32_t k) {
    uint64_t id = batch_block_id(batch->first, k);
    return block_read(mem_get(&batch->blocks[k]), id, batch_block_bytes(batch->bytes, id));
}

/* As asked for; touches no object. */
static uint64_t batch_live_bytes(uint64_t first, uint32_t count, uint32_t bytes) {
    uint64_t sum = sizeof(struct batch) + count * sizeof(mem_ref);
    if (bytes)
        return sum + (uint64_t)count * bytes;
    for (uint32_t k = 0; k < count; k++)
        sum += batch_block_bytes(bytes, batch_block_id(first, k));
    return sum;
}

/* The sizes that a parameter may have: 0, or room for an id. */
static inline bool batch_size_fits(uint64_t bytes) {
    return bytes == 0 || bytes >= BLOCK_WORD;
}

#endif
