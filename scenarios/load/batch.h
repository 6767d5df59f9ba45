/* SPDX-License-Identifier: MIT */
/* batch.h - batches of blocks (block.h), each in a scope of its own, that change hands by exchange.
 *
 * Sizes are those of mimalloc's mstress: 1 to 128 words, one block in a hundred 100 times as much;
 * at least a block's head. A batch waits in a slot, as a parcel; who exchanges it against another
 * one, or against nothing, becomes the user of what was there. Id of its type: 2.
 */
#ifndef TAILRACE_LOAD_BATCH_H
#define TAILRACE_LOAD_BATCH_H

#define BATCH_WORDS_MAX 128
#define BATCH_LARGE_FACTOR 100
#define BLOCK_SMALL_MAX (BATCH_WORDS_MAX * 8)
#define BLOCK_LARGE_MAX (BLOCK_SMALL_MAX * BATCH_LARGE_FACTOR)
#include "load/block.h"

#define BATCH_LARGE_PERCENT 1
#define BATCH_LARGES_MAX 8 /* of a batch; what is drawn beyond is small */
#define BATCH_SMALLS_MAX 4096

struct batch {
    uint64_t id, bytes; /* bytes: of it and its blocks */
    uint32_t small_count, unused;
    mem_ref large[BATCH_LARGES_MAX]; /* owned */
    mem_ref small[];                 /* owned */
};
static const mem_edge batch_edges[] = {
    {offsetof(struct batch, large[0]), MEM_OWNED, &block_large_type},
    {offsetof(struct batch, large[1]), MEM_OWNED, &block_large_type},
    {offsetof(struct batch, large[2]), MEM_OWNED, &block_large_type},
    {offsetof(struct batch, large[3]), MEM_OWNED, &block_large_type},
    {offsetof(struct batch, large[4]), MEM_OWNED, &block_large_type},
    {offsetof(struct batch, large[5]), MEM_OWNED, &block_large_type},
    {offsetof(struct batch, large[6]), MEM_OWNED, &block_large_type},
    {offsetof(struct batch, large[7]), MEM_OWNED, &block_large_type},
};
_Static_assert(sizeof batch_edges / sizeof *batch_edges == BATCH_LARGES_MAX, "an edge each");
static const mem_edge batch_small_edge = {0, MEM_OWNED, &block_small_type};
static const mem_type batch_type = {.name = "batch",
                                    .id = 2,
                                    .size = sizeof(struct batch),
                                    .trailing_max = BATCH_SMALLS_MAX * sizeof(mem_ref),
                                    .edge_count = BATCH_LARGES_MAX,
                                    .edges = batch_edges,
                                    .trailing_edge = &batch_small_edge,
                                    .count_offset = offsetof(struct batch, small_count)};

/* A batch whose user the thread is; its scope is NULL where there is none. */
struct held {
    mem_scope *scope;
    struct batch *batch;
};
/* State memory. */
struct slot {
    mem_parcel parcel;
    uint64_t bytes;
};

static inline struct held batch_begin(mem_thread *t, uint64_t id, uint32_t smalls_max) {
    struct held held = {.scope = mem_scope_begin(t)};
    held.batch = mem_new(t, held.scope, &batch_type, smalls_max * sizeof(mem_ref));
    held.batch->id = id;
    held.batch->bytes = sizeof(struct batch) + smalls_max * sizeof(mem_ref);
    return held;
}

/* Draws a size and makes a block of it, in the first place for large ones that is free, or in this
 * one for small ones. Returns its place; adds its hash, read back. */
static inline mem_ref *batch_put(mem_thread *t, struct held held, uint32_t place, rng *random,
                                 uint64_t *hash) {
    struct batch *batch = held.batch;
    uint32_t bytes = 8 * (1 + (uint32_t)rng_below(random, BATCH_WORDS_MAX)), large = 0;
    bool grown = rng_below(random, 100) < BATCH_LARGE_PERCENT;
    while (large < BATCH_LARGES_MAX && mem_get(&batch->large[large]))
        large++;
    if (grown && large < BATCH_LARGES_MAX)
        bytes *= BATCH_LARGE_FACTOR;
    if (bytes < BLOCK_BYTES_MIN)
        bytes = BLOCK_BYTES_MIN;
    struct block *block = block_new(t, held.scope, rng_u64(random), bytes);
    mem_ref *at = block_is_large(bytes) ? &batch->large[large] : &batch->small[place];
    *hash += block_hash(block);
    block_set(t, held.scope, batch, at, block_is_large(bytes), block);
    batch->bytes += bytes;
    return at;
}

/* Drops the block at that place, if there is one; returns its hash, read back. */
static inline uint64_t batch_drop(mem_thread *t, struct held held, mem_ref *at) {
    struct block *block = mem_take(t, held.batch, at);
    if (!block)
        return 0;
    held.batch->bytes -= block->bytes;
    return block_die(t, held.scope, block);
}

/* Drops all and ends the scope; returns the sum of the blocks' hashes. */
static inline uint64_t batch_end(mem_thread *t, struct held held) {
    uint64_t sum = 0;
    for (int i = 0; i < BATCH_LARGES_MAX; i++)
        sum += batch_drop(t, held, &held.batch->large[i]);
    for (uint32_t i = 0; i < held.batch->small_count; i++)
        sum += batch_drop(t, held, &held.batch->small[i]);
    mem_drop(t, held.scope, &batch_type, held.batch);
    mem_scope_end(t, held.scope);
    return sum;
}

/* Puts what is held (or nothing) into the slot, under its lock, and returns what was there. */
static inline struct held slot_exchange(mem_thread *t, pthread_mutex_t *lock, struct slot *slot,
                                        struct held mine) {
    struct held theirs = {0};
    uint64_t bytes = mine.scope ? mine.batch->bytes : 0;
    scenario_lock(t, lock);
    mem_parcel parcel = slot->parcel;
    slot->parcel =
        mine.scope ? mem_send(t, mine.scope, &batch_type, mine.batch, 1) : (mem_parcel){0};
    slot->bytes = bytes;
    if (parcel.scope)
        theirs.batch = mem_receive(t, &parcel, &theirs.scope);
    pthread_mutex_unlock(lock);
    return theirs;
}

#endif
