/* SPDX-License-Identifier: MIT */
/* survivors.c - objects that outlive their request and move from thread to thread, as they age.
 *
 * After mstress, mimalloc's stress test (Leijen, Zorn, de Moura: Mimalloc: Free List Sharding in
 * Action, 2019; mimalloc-bench). As there, a request allocates blocks of 1 to 128 words, one in a
 * hundred 100 times as large, and with 66 % probability drops a former one after each, while a
 * share (`retain`) is kept; 1000 shared slots pass objects on by exchange; half of what is passed
 * on dies from one generation to the next. Here what a request keeps is one batch, which changes
 * hands as a whole: it pushes another one out of a slot of the first generation, of that half the
 * blocks are dropped, the rest pushes one out of the second, and so on; what leaves the fourth is
 * dropped. Scaled: 64 blocks a request (there 8000 and more a thread), and what is kept is no
 * larger than what is dropped (there up to 100 times).
 *
 * Stresses frees on other threads than allocated, and memory that a few old objects hold among
 * young ones. Read response times under several threads, and peak RSS against live_bytes: an arena
 * keeps a batch whole until its last block may go, a heap of free lists keeps its pages.
 */
#include "load/batch.h"

#include <stdio.h>

#define GENERATIONS 4
#define BLOCKS 64 /* that a request allocates */
#define DROP_PERCENT 66
#define LOCKS 64
#define LIVE_MAX ((uint64_t)1 << 24)

struct state {
    pthread_mutex_t locks[LOCKS];
    struct slot *slots[GENERATIONS]; /* state memory */
    uint64_t slot_count;             /* of each */
    uint64_t retain_percent;
    uint64_t warm; /* sum of the hashes of what lived when recording began */
};
struct request {
    uint64_t id;
    uint64_t slots[GENERATIONS];
};

static struct held exchange(mem_thread *t, struct state *state, uint32_t generation, uint64_t slot,
                            struct held mine) {
    pthread_mutex_t *lock = &state->locks[(slot * GENERATIONS + generation) % LOCKS];
    return slot_exchange(t, lock, &state->slots[generation][slot], mine);
}

/* Allocates a batch and drops what its request does not keep. Adds to `hash` what was born and to
 * `dead` what died. */
static struct held make(mem_thread *t, const struct state *state, uint64_t id, uint64_t *hash,
                        uint64_t *dead) {
    struct held held = batch_begin(t, id, BLOCKS);
    mem_ref *young[BLOCKS]; /* places of blocks that are not kept */
    uint32_t count = 0;
    rng random = rng_at(id, 0);
    for (uint32_t i = 0; i < BLOCKS; i++) {
        mem_ref *place = batch_put(t, held, i, &random, hash);
        if (rng_below(&random, 100) >= state->retain_percent)
            young[count++] = place;
        if (rng_below(&random, 100) < DROP_PERCENT && count > 0) {
            uint64_t victim = rng_below(&random, count);
            *dead += batch_drop(t, held, young[victim]);
            young[victim] = young[--count];
        }
    }
    while (count > 0)
        *dead += batch_drop(t, held, young[--count]);
    return held;
}

/* Each block dies with the same probability, which follows from its place. */
static bool dies(const struct batch *batch, uint32_t place, uint32_t generation) {
    return hash_pair(batch->id + generation, place) & 1;
}

/* Drops half of the batch, as it grows older; returns the sum of the hashes. */
static uint64_t age(mem_thread *t, struct held held, uint32_t generation) {
    uint64_t dead = 0;
    for (uint32_t i = 0; i < BATCH_LARGES_MAX; i++)
        if (dies(held.batch, BLOCKS + i, generation))
            dead += batch_drop(t, held, &held.batch->large[i]);
    for (uint32_t i = 0; i < BLOCKS; i++)
        if (dies(held.batch, i, generation))
            dead += batch_drop(t, held, &held.batch->small[i]);
    return dead;
}

static uint64_t survivors_execute(mem_thread *t, void *prepared, uint64_t i, const void *in) {
    struct state *state = prepared;
    const struct request *request = in;
    uint64_t hash = 0, dead = 0;
    mem_unblock(t);
    struct held held = make(t, state, request->id, &hash, &dead);
    for (uint32_t generation = 0; generation < GENERATIONS; generation++) {
        held = exchange(t, state, generation, request->slots[generation], held);
        if (generation + 1 < GENERATIONS)
            dead += age(t, held, generation);
    }
    dead += batch_end(t, held);
    mem_block(t);
    return hash_pair(i, hash) + dead;
}

static void survivors_prepare(const void *prepared, uint64_t seed, uint64_t i, void *into) {
    const struct state *state = prepared;
    struct request *request = into;
    rng random = rng_at(seed, i);
    request->id = rng_u64(&random);
    for (int generation = 0; generation < GENERATIONS; generation++)
        request->slots[generation] = rng_below(&random, state->slot_count);
}

/* Fills all slots with batches of the age that belongs there. */
static void fill(mem_thread *t, struct state *state, uint64_t seed) {
    uint64_t hash = 0, dead = 0;
    for (uint32_t generation = 0; generation < GENERATIONS; generation++)
        for (uint64_t slot = 0; slot < state->slot_count; slot++) {
            uint64_t id = hash_pair(seed, slot * GENERATIONS + generation);
            struct held held = make(t, state, id, &hash, &dead);
            for (uint32_t younger = 0; younger < generation; younger++)
                age(t, held, younger);
            exchange(t, state, generation, slot, held);
            mem_safepoint(t);
        }
}

static void *survivors_setup(mem_thread *t, const struct scenario_setup *in) {
    const SCENARIO_PARAMS *params = in->params;
    if (in->live < GENERATIONS || in->live > LIVE_MAX) {
        snprintf(in->error, in->error_bytes, "survivors: live must be from %d to %llu slots",
                 GENERATIONS, (unsigned long long)LIVE_MAX);
        return NULL;
    }
    struct state *state = mem_state_new(sizeof *state);
    state->slot_count = in->live / GENERATIONS;
    state->retain_percent = params->retain;
    for (int i = 0; i < LOCKS; i++)
        pthread_mutex_init(&state->locks[i], NULL);
    for (int i = 0; i < GENERATIONS; i++)
        state->slots[i] = mem_state_new(state->slot_count * sizeof(struct slot));
    fill(t, state, in->seed);
    return state;
}

/* The sum of the hashes of all blocks in a batch. */
static uint64_t batch_sum(const struct batch *batch) {
    uint64_t sum = 0;
    for (int i = 0; i < BATCH_LARGES_MAX; i++)
        if (mem_get(&batch->large[i]))
            sum += block_hash(mem_get(&batch->large[i]));
    for (uint32_t i = 0; i < batch->small_count; i++)
        if (mem_get(&batch->small[i]))
            sum += block_hash(mem_get(&batch->small[i]));
    return sum;
}

static void survivors_reset(mem_thread *t, void *prepared) {
    struct state *state = prepared;
    state->warm = 0;
    for (uint32_t generation = 0; generation < GENERATIONS; generation++)
        for (uint64_t slot = 0; slot < state->slot_count; slot++) {
            struct held held = exchange(t, state, generation, slot, (struct held){0});
            state->warm += batch_sum(held.batch);
            exchange(t, state, generation, slot, held);
            mem_safepoint(t);
        }
}

static uint64_t survivors_live_bytes(const void *prepared) {
    const struct state *state = prepared;
    uint64_t bytes = 0;
    for (int generation = 0; generation < GENERATIONS; generation++)
        for (uint64_t slot = 0; slot < state->slot_count; slot++)
            bytes += state->slots[generation][slot].bytes;
    return bytes;
}

static uint64_t survivors_finish(mem_thread *t, void *prepared) {
    struct state *state = prepared;
    uint64_t sum = 0;
    for (uint32_t generation = 0; generation < GENERATIONS; generation++) {
        for (uint64_t slot = 0; slot < state->slot_count; slot++)
            sum += batch_end(t, exchange(t, state, generation, slot, (struct held){0}));
        mem_state_free(state->slots[generation]);
    }
    sum -= state->warm;
    for (int i = 0; i < LOCKS; i++)
        pthread_mutex_destroy(&state->locks[i]);
    mem_state_free(state);
    return sum;
}

const struct scenario scenario_survivors = {.name = "survivors",
                                            .request_bytes = sizeof(struct request),
                                            .setup = survivors_setup,
                                            .prepare = survivors_prepare,
                                            .execute = survivors_execute,
                                            .reset = survivors_reset,
                                            .live_bytes = survivors_live_bytes,
                                            .finish = survivors_finish,
                                            SCENARIO_MEMORY};
