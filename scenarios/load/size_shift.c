/* SPDX-License-Identifier: MIT */
/* size_shift.c - a live set of constant size whose objects change their sizes, phase by phase.
 *
 * After Rumble, Kejriwal, Ousterhout: Log-structured Memory for DRAM-based Storage (FAST 2014),
 * whose workloads W2 to W8 (their table 1) showed allocators to hold up to twice what lives, and
 * after the question of Johnstone, Wilson: The Memory Fragmentation Problem: Solved? (ISMM 1998).
 * Workload: sizes before, the share that is deleted at random, sizes after. Set-up fills the live
 * set with sizes of before. A phase, of a fixed number of requests, deletes that share, so that
 * what survives lies scattered, then allocates 5 times the live set in the other sizes, deleting
 * at random what the live set cannot hold; the next phase goes back. A request deletes or allocates
 * 16 KiB in one of 16 shards; under several workers an open loop keeps the phases sharp. Scaled:
 * 32 MiB live instead of 10 GB, and it goes to and fro instead of once.
 *
 * Stresses how a heap reuses holes of another size than is asked for, and pages that a few
 * survivors hold. Read peak RSS against `live`, which the blocks never exceed: what is beyond it,
 * and beyond an eighth of it for references, is fragmentation, or garbage not yet collected.
 */
#define BLOCK_SMALL_MAX 256
#define BLOCK_LARGE_MAX 15000
#include "load/block.h"

#include <stdio.h>

#define SHARDS 16
#define REQUEST_BYTES                                                                              \
    16384u         /* that a request allocates or deletes, and at most one object more             \
                    */
#define TURNOVER 5 /* times the live set, allocated in a phase: 50 GB of 10 in the paper */
#define LIVE_KIB_MIN (SHARDS * 16)
#define LIVE_KIB_MAX ((uint64_t)1 << 28)

/* Uniform in [low, high]. */
struct sizes {
    uint32_t low, high;
};
static const struct workload {
    struct sizes before;
    uint32_t deleted_percent;
    struct sizes after;
} workloads[] = {
    {{100, 100}, 0, {130, 130}},    {{100, 100}, 90, {130, 130}},
    {{100, 150}, 0, {200, 250}},    {{100, 150}, 90, {200, 250}},
    {{100, 200}, 50, {1000, 2000}}, {{1000, 2000}, 90, {1500, 2500}},
    {{50, 150}, 90, {5000, 15000}},
};

/* Of the blocks of one type: [0, used) are there. */
struct table {
    uint32_t place_count, used;
    mem_ref places[]; /* owned */
};
#define TABLE_BYTES_MAX ((uint32_t)1 << 31)
static const mem_edge small_edge = {0, MEM_OWNED, &block_small_type};
static const mem_edge large_edge = {0, MEM_OWNED, &block_large_type};
static const mem_type table_types[] = {{.name = "table of small blocks",
                                        .id = 2,
                                        .size = sizeof(struct table),
                                        .trailing_max = TABLE_BYTES_MAX,
                                        .trailing_edge = &small_edge,
                                        .count_offset = offsetof(struct table, place_count)},
                                       {.name = "table of large blocks",
                                        .id = 3,
                                        .size = sizeof(struct table),
                                        .trailing_max = TABLE_BYTES_MAX,
                                        .trailing_edge = &large_edge,
                                        .count_offset = offsetof(struct table, place_count)}};

struct shard {
    pthread_mutex_t lock;
    mem_scope *scope;
    struct table *tables[2]; /* owned: of small and of large blocks */
    uint64_t bytes;          /* of all blocks */
    uint64_t table_bytes;    /* of both tables */
    rng victims;
    char apart[64]; /* two shards share no cache line */
};
struct state {
    struct shard shards[SHARDS];
    const struct workload *workload;
    uint64_t capacity; /* bytes of a shard */
    uint64_t delete_requests, phase_requests;
    uint64_t warm; /* sum of the hashes of what lived when recording began */
};
struct request {
    uint32_t shard;
    bool delete, after;
    uint64_t seed;
};

/* Takes any block out of the shard, reads it back and drops it. */
static uint64_t delete_one(mem_thread *t, struct shard *shard) {
    uint64_t used = shard->tables[0]->used;
    uint64_t victim = rng_below(&shard->victims, used + shard->tables[1]->used);
    bool large = victim >= used;
    struct table *table = shard->tables[large];
    mem_ref *place = &table->places[large ? victim - used : victim];
    mem_ref *last = &table->places[table->used - 1];
    struct block *block = mem_take(t, table, place);
    if (place != last)
        block_set(t, shard->scope, table, place, large, mem_take(t, table, last));
    table->used--;
    shard->bytes -= block->bytes;
    return block_die(t, shard->scope, block);
}

static uint64_t delete_some(mem_thread *t, struct shard *shard) {
    uint64_t until = shard->bytes > REQUEST_BYTES ? shard->bytes - REQUEST_BYTES : 0, dead = 0;
    while (shard->bytes > until)
        dead += delete_one(t, shard);
    return dead;
}

/* Makes one more block, once there is room for it. Adds to `dead`; returns its hash. */
static uint64_t put_one(mem_thread *t, const struct state *state, struct shard *shard, uint64_t id,
                        uint32_t bytes, uint64_t *dead) {
    bool large = block_is_large(bytes);
    struct table *table = shard->tables[large];
    while (shard->bytes + bytes > state->capacity)
        *dead += delete_one(t, shard);
    struct block *block = block_new(t, shard->scope, id, bytes);
    uint64_t hash = block_hash(block);
    block_set(t, shard->scope, table, &table->places[table->used++], large, block);
    shard->bytes += bytes;
    return hash;
}

static uint64_t put_some(mem_thread *t, const struct state *state, struct shard *shard,
                         struct sizes sizes, uint64_t seed, uint64_t bytes, uint64_t *dead) {
    rng random = rng_at(seed, 0);
    uint64_t hash = 0;
    for (uint64_t put = 0; put < bytes;) {
        uint32_t size = sizes.low + (uint32_t)rng_below(&random, sizes.high - sizes.low + 1);
        hash += put_one(t, state, shard, rng_u64(&random), size, dead);
        put += size;
    }
    return hash;
}

static uint64_t size_shift_execute(mem_thread *t, void *prepared, uint64_t i, const void *in) {
    struct state *state = prepared;
    const struct request *request = in;
    struct shard *shard = &state->shards[request->shard];
    struct sizes sizes = request->after ? state->workload->after : state->workload->before;
    uint64_t hash = request->seed, dead = 0;
    mem_unblock(t);
    scenario_lock(t, &shard->lock);
    mem_scope_enter(t, shard->scope);
    if (request->delete)
        dead = delete_some(t, shard);
    else
        hash = put_some(t, state, shard, sizes, request->seed, REQUEST_BYTES, &dead);
    mem_scope_leave(t, shard->scope);
    pthread_mutex_unlock(&shard->lock);
    mem_safepoint(t);
    mem_block(t);
    return hash_pair(i, hash) + dead;
}

/* The phase follows from the request's number, so that it does not matter who comes first. */
static void size_shift_prepare(const void *prepared, uint64_t seed, uint64_t i, void *into) {
    const struct state *state = prepared;
    struct request *request = into;
    request->shard = (uint32_t)(i % SHARDS);
    request->delete = i % state->phase_requests < state->delete_requests;
    request->after = i / state->phase_requests % 2 == 0;
    request->seed = hash_pair(seed, i);
}

/* The table of the small or of the large blocks: as many places as the shard can ever hold. */
static struct table *table_new(mem_thread *t, const struct state *state, mem_scope *s, bool large) {
    const struct sizes sizes[] = {state->workload->before, state->workload->after};
    uint64_t places = 0;
    for (int i = 0; i < 2; i++)
        if (block_is_large(sizes[i].low) == large && state->capacity / sizes[i].low > places)
            places = state->capacity / sizes[i].low;
    struct table *table = mem_new(t, s, &table_types[large], places * sizeof(mem_ref));
    table->used = 0;
    return table;
}

static void make_shard(mem_thread *t, const struct state *state, struct shard *shard,
                       uint64_t seed) {
    uint64_t dead = 0;
    pthread_mutex_init(&shard->lock, NULL);
    shard->victims = rng_at(seed, 1);
    shard->scope = mem_scope_begin(t);
    for (int large = 0; large < 2; large++) {
        struct table *table = table_new(t, state, shard->scope, large);
        shard->table_bytes += sizeof *table + table->place_count * sizeof(mem_ref);
        shard->tables[large] = table;
    }
    for (uint64_t filled = 0; filled < state->capacity; filled += REQUEST_BYTES) {
        put_some(t, state, shard, state->workload->before, hash_pair(seed, filled), REQUEST_BYTES,
                 &dead);
        mem_safepoint(t);
    }
    mem_scope_leave(t, shard->scope);
}

static void *size_shift_setup(mem_thread *t, const struct scenario_setup *in) {
    const SCENARIO_PARAMS *params = in->params;
    if (in->live < LIVE_KIB_MIN || in->live > LIVE_KIB_MAX) {
        snprintf(in->error, in->error_bytes, "size-shift: live must be from %d to %llu KiB",
                 LIVE_KIB_MIN, (unsigned long long)LIVE_KIB_MAX);
        return NULL;
    }
    struct state *state = mem_state_new(sizeof *state);
    uint64_t fill_requests = in->live * 1024 / REQUEST_BYTES;
    state->workload = &workloads[params->workload];
    state->capacity = in->live * 1024 / SHARDS;
    state->delete_requests = fill_requests * state->workload->deleted_percent / 100;
    state->phase_requests = state->delete_requests + TURNOVER * fill_requests;
    for (uint64_t i = 0; i < SHARDS; i++)
        make_shard(t, state, &state->shards[i], hash_pair(in->seed, i));
    return state;
}

/* The sum of the hashes of all blocks. */
static uint64_t living(mem_thread *t, struct state *state) {
    uint64_t sum = 0;
    for (int i = 0; i < SHARDS; i++) {
        struct shard *shard = &state->shards[i];
        mem_scope_enter(t, shard->scope);
        for (int large = 0; large < 2; large++)
            for (uint32_t k = 0; k < shard->tables[large]->used; k++)
                sum += block_hash(mem_get(&shard->tables[large]->places[k]));
        mem_scope_leave(t, shard->scope);
        mem_safepoint(t);
    }
    return sum;
}

static void size_shift_reset(mem_thread *t, void *prepared) {
    struct state *state = prepared;
    state->warm = living(t, state);
}

static uint64_t size_shift_live_bytes(const void *prepared) {
    const struct state *state = prepared;
    uint64_t bytes = 0;
    for (int i = 0; i < SHARDS; i++)
        bytes += state->shards[i].bytes + state->shards[i].table_bytes;
    return bytes;
}

static uint64_t size_shift_finish(mem_thread *t, void *prepared) {
    struct state *state = prepared;
    uint64_t sum = living(t, state) - state->warm;
    for (int i = 0; i < SHARDS; i++) {
        struct shard *shard = &state->shards[i];
        mem_scope_enter(t, shard->scope);
        for (int large = 0; large < 2; large++) {
            mem_drop(t, shard->scope, &table_types[large], shard->tables[large]);
            shard->tables[large] = NULL;
        }
        mem_scope_end(t, shard->scope);
        pthread_mutex_destroy(&shard->lock);
    }
    mem_state_free(state);
    return sum;
}

const struct scenario scenario_size_shift = {.name = "size-shift",
                                             .request_bytes = sizeof(struct request),
                                             .setup = size_shift_setup,
                                             .prepare = size_shift_prepare,
                                             .execute = size_shift_execute,
                                             .reset = size_shift_reset,
                                             .live_bytes = size_shift_live_bytes,
                                             .finish = size_shift_finish,
                                             SCENARIO_MEMORY};
