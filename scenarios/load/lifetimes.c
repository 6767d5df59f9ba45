/* SPDX-License-Identifier: MIT */
/* lifetimes.c - objects whose lifetimes follow a Pareto law: a few live for long, most die young.
 *
 * After alloc-test (No Bugs Hare, OLogN: Testing Memory Allocators: ptmalloc2 vs tcmalloc vs hoard
 * vs jemalloc While Trying to Simulate Real-World Loads, ithare.com 2018), as mimalloc-bench runs
 * it: 2^18 slots among all threads, sizes up to 1 KiB of which each power of two is half as
 * frequent as the one before (8 bytes and less: every other object). Each step draws a slot by an
 * 80/20 Pareto law applied six times: 26 % of all steps go to 0.0064 % of the slots, and so on. A
 * slot that holds an object loses it, an empty one gets one; so half of the slots are full, and how
 * often its slot is drawn is how soon an object dies. Where the original has an array of slots per
 * thread, here 64 arrays with a lock each serve any number of workers, which also frees objects
 * on other threads. A request is a number of steps in one shard (the original does 100,000,000).
 *
 * Stresses reuse and fragmentation at a steady state: old objects of all sizes pin the memory that
 * the young ones come and go in, which is what a generation or a size class is good or bad at. Read
 * resident against live bytes for fragmentation, and the tail for what a young object's allocation
 * costs when the easy places are taken.
 */
#include "load/stress_block.h"

#include <stdio.h>
#include <stdlib.h>

#define SHARDS 64
#define SIZE_EXPONENT_MIN 2 /* sizes: above 2^2 up to 2^10; none has less than an id's 8 bytes */
#define SIZE_EXPONENT_MAX 10
#define PARETO_CLASSES 7
#define LIVE_MAX ((uint64_t)1 << 28)

/* Of 6 choices between 80 % and 20 %: so many binomial coefficients of 0.8 and 0.2. The class of
 * the first probability has the last one's share of the slots, and so on. */
static const double pareto[PARETO_CLASSES] = {0.262144, 0.393216, 0.24576, 0.08192,
                                              0.01536,  0.001536, 0.000064};

struct slots {
    uint32_t count, unused;
    mem_ref blocks[]; /* owned */
};
static const mem_type block_type = {.name = "block",
                                    .id = 0,
                                    .size = sizeof(struct block),
                                    .trailing_max =
                                        (1 << SIZE_EXPONENT_MAX) - sizeof(struct block)};
static const mem_edge slots_edge = {0, MEM_OWNED, &block_type};
static const mem_type slots_type = {.name = "slots",
                                    .id = 1,
                                    .size = sizeof(struct slots),
                                    .trailing_max = (uint32_t)(LIVE_MAX / SHARDS * sizeof(mem_ref)),
                                    .trailing_edge = &slots_edge,
                                    .count_offset = offsetof(struct slots, count)};

struct shard {
    pthread_mutex_t lock;
    mem_scope *scope;
    struct slots *slots; /* owned */
    uint32_t *steps;     /* that each slot has seen; a plain array */
    uint64_t seed;
    char apart[64]; /* two shards share no cache line */
};
struct state {
    struct shard shards[SHARDS];
    uint64_t slot_count; /* of a shard */
    uint64_t steps;      /* of a request */
    double below[PARETO_CLASSES];
    uint64_t bounds[PARETO_CLASSES + 1];
};
struct request {
    uint32_t shard;
    rng steps;
};

/* At least one slot to a class, while there are any. */
static void pareto_init(struct state *state) {
    double sum = 0, share = 0;
    for (uint64_t k = 0; k < PARETO_CLASSES; k++) {
        state->below[k] = sum += pareto[k];
        share += pareto[PARETO_CLASSES - 1 - k];
        uint64_t bound = (uint64_t)(share * (double)state->slot_count);
        state->bounds[k + 1] = bound > state->bounds[k] ? bound : state->bounds[k] + 1;
    }
    state->bounds[PARETO_CLASSES] = state->slot_count;
}
static uint64_t draw_slot(const struct state *state, rng *random) {
    double u = rng_unit(random);
    uint32_t k = 0;
    while (k < PARETO_CLASSES - 1 && u > state->below[k])
        k++;
    return state->bounds[k] + rng_below(random, state->bounds[k + 1] - state->bounds[k]);
}

/* What lives in a slot follows from how many steps it has seen, whoever made them. */
static uint64_t id_of(const struct shard *shard, uint64_t slot) {
    return hash_pair(shard->seed + slot, shard->steps[slot]);
}
static bool is_full(const struct shard *shard, uint64_t slot) {
    return (hash_pair(shard->seed, slot) ^ shard->steps[slot]) & 1;
}
/* alloc-test's sizes: in (2^k, 2^(k+1)], k from 2 on, half as often for each k more. */
static size_t bytes_of(uint64_t id) {
    uint64_t classes = SIZE_EXPONENT_MAX - SIZE_EXPONENT_MIN - 1;
    uint64_t draw = (id & (((uint64_t)1 << classes) - 1)) + 1;
    uint32_t exponent = SIZE_EXPONENT_MIN + (uint32_t)__builtin_ctzll(draw);
    size_t least = (size_t)1 << exponent, bytes = least + 1 + ((id >> 32) & (least - 1));
    return bytes > BLOCK_WORD ? bytes : BLOCK_WORD;
}

static void put_block(mem_thread *t, struct shard *shard, uint64_t slot) {
    uint64_t id = id_of(shard, slot);
    mem_set(t, shard->scope, shard->slots, &shard->slots->blocks[slot], &block_type,
            block_new(t, shard->scope, &block_type, id, bytes_of(id)));
}
/* Returns the hash of what it held. */
static uint64_t free_block(mem_thread *t, struct shard *shard, uint64_t slot) {
    struct block *block = mem_take(t, shard->slots, &shard->slots->blocks[slot]);
    uint64_t id = id_of(shard, slot), hash = block_read(block, id, bytes_of(id));
    mem_drop(t, shard->scope, &block_type, block);
    return hash;
}

/* What an object holds is added up when it dies; all that were made do, in finish at the latest. */
static uint64_t step(mem_thread *t, struct shard *shard, uint64_t slot) {
    uint64_t hash = 0;
    if (is_full(shard, slot)) {
        hash = free_block(t, shard, slot);
        shard->steps[slot]++;
    } else {
        shard->steps[slot]++;
        put_block(t, shard, slot);
    }
    return hash;
}

static uint64_t lifetimes_execute(mem_thread *t, void *prepared, uint64_t i, const void *in) {
    struct state *state = prepared;
    const struct request *request = in;
    struct shard *shard = &state->shards[request->shard];
    uint64_t sum = 0;
    rng random = request->steps;
    (void)i; /* the drawn slots depend on it */
    mem_unblock(t);
    scenario_lock(t, &shard->lock);
    mem_scope_enter(t, shard->scope);
    for (uint64_t n = 0; n < state->steps; n++)
        sum += step(t, shard, draw_slot(state, &random));
    mem_scope_leave(t, shard->scope);
    pthread_mutex_unlock(&shard->lock);
    mem_safepoint(t);
    mem_block(t);
    return sum;
}

static void lifetimes_prepare(const void *state, uint64_t seed, uint64_t i, void *into) {
    struct request *request = into;
    (void)state;
    rng random = rng_at(seed, i);
    request->shard = (uint32_t)rng_below(&random, SHARDS);
    request->steps = random;
}

static void fill(mem_thread *t, struct state *state) {
    for (uint32_t n = 0; n < SHARDS; n++) {
        struct shard *shard = &state->shards[n];
        mem_scope_enter(t, shard->scope);
        for (uint64_t slot = 0; slot < state->slot_count; slot++)
            if (is_full(shard, slot))
                put_block(t, shard, slot);
        mem_scope_leave(t, shard->scope);
        mem_safepoint(t);
    }
}
/* Frees all; returns the sum over slots of what became of each. */
static uint64_t empty(mem_thread *t, struct state *state) {
    uint64_t sum = 0;
    for (uint32_t n = 0; n < SHARDS; n++) {
        struct shard *shard = &state->shards[n];
        mem_scope_enter(t, shard->scope);
        for (uint64_t slot = 0; slot < state->slot_count; slot++) {
            sum += hash_pair(shard->seed + slot, shard->steps[slot]);
            if (is_full(shard, slot))
                sum += free_block(t, shard, slot);
            shard->steps[slot] = 0;
        }
        mem_scope_leave(t, shard->scope);
        mem_safepoint(t);
    }
    return sum;
}

static void *lifetimes_setup(mem_thread *t, const struct scenario_setup *in) {
    const SCENARIO_PARAMS *p = in->params;
    if (in->live < SHARDS * PARETO_CLASSES || in->live > LIVE_MAX) {
        snprintf(in->error, in->error_bytes, "lifetimes: live must be from %d to %llu slots",
                 SHARDS * PARETO_CLASSES, (unsigned long long)LIVE_MAX);
        return NULL;
    }
    struct state *state = mem_state_new(sizeof *state);
    state->slot_count = in->live / SHARDS;
    state->steps = p->steps;
    pareto_init(state);
    for (uint32_t n = 0; n < SHARDS; n++) {
        struct shard *shard = &state->shards[n];
        pthread_mutex_init(&shard->lock, NULL);
        shard->seed = hash_pair(in->seed, n);
        shard->steps = calloc(state->slot_count, sizeof *shard->steps);
        if (!shard->steps)
            host_out_of_memory(state->slot_count * sizeof *shard->steps);
        shard->scope = mem_scope_begin(t);
        shard->slots = mem_new(t, shard->scope, &slots_type, state->slot_count * sizeof(mem_ref));
        mem_scope_leave(t, shard->scope);
    }
    fill(t, state);
    return state;
}

static void lifetimes_reset(mem_thread *t, void *state) {
    empty(t, state);
    fill(t, state);
}

static uint64_t lifetimes_live_bytes(const void *prepared) {
    const struct state *state = prepared;
    uint64_t bytes = 0;
    for (uint32_t n = 0; n < SHARDS; n++) {
        const struct shard *shard = &state->shards[n];
        bytes += sizeof(struct slots) + state->slot_count * sizeof(mem_ref);
        for (uint64_t slot = 0; slot < state->slot_count; slot++)
            if (is_full(shard, slot))
                bytes += bytes_of(id_of(shard, slot));
    }
    return bytes;
}

static uint64_t lifetimes_finish(mem_thread *t, void *prepared) {
    struct state *state = prepared;
    uint64_t sum = empty(t, state);
    for (uint32_t n = 0; n < SHARDS; n++) {
        struct shard *shard = &state->shards[n];
        mem_scope_enter(t, shard->scope);
        mem_drop(t, shard->scope, &slots_type, shard->slots);
        shard->slots = NULL;
        mem_scope_end(t, shard->scope);
        free(shard->steps);
        pthread_mutex_destroy(&shard->lock);
    }
    mem_state_free(state);
    return sum;
}

const struct scenario scenario_lifetimes = {.name = "lifetimes",
                                            .request_bytes = sizeof(struct request),
                                            .setup = lifetimes_setup,
                                            .prepare = lifetimes_prepare,
                                            .execute = lifetimes_execute,
                                            .reset = lifetimes_reset,
                                            .live_bytes = lifetimes_live_bytes,
                                            .finish = lifetimes_finish,
                                            SCENARIO_MEMORY};
