/* SPDX-License-Identifier: MIT */
/* idle_burst.c - bursts that fill a heap, then empty it, with long quiet between them.
 *
 * After what allocators' decay is for: jemalloc gives unused pages back over 10 s (dirty_decay_ms;
 * Evans: A Scalable Concurrent malloc(3) Implementation, 2006, and its TUNING.md), mimalloc after a
 * delay, TCMalloc at a rate (Hunter et al.: Beyond malloc efficiency to fleet efficiency: a
 * hugepage-aware memory allocator, OSDI 2021). In each cycle `live` requests allocate a batch of
 * `blocks` blocks each and keep it, the next `live` requests drop one batch each, and `quiet` more
 * allocate one block and drop it. Sizes are those of mstress (batch.h). The quiet is the
 * schedule's: run it in an open loop, where it lasts `quiet` requests / rate; with the defaults and
 * --rate 1000, 64 MB in 0.5 s, then 9 s of next to nothing. In a closed loop there is no quiet, and
 * the workers' bursts drift apart.
 *
 * Stresses what a heap does with pages that are free for now: keep, purge later by the thread that
 * happens to call, or on one of its own. Read the tail, which is the bursts' (1 request in 20),
 * against a run with quiet=0, where nothing has time to decay: the difference is what purging and
 * faulting pages in again cost; and memory over time for what keeping them costs.
 */
#include "load/batch.h"

#include <stdio.h>

#define LOCKS 64
#define LIVE_MAX ((uint64_t)1 << 20)

struct state {
    pthread_mutex_t locks[LOCKS];
    struct slot *slots;  /* state memory */
    uint64_t slot_count; /* requests of a burst */
    uint64_t blocks;     /* of each */
    uint64_t cycle;      /* requests from the beginning of a burst to that of the next */
};
enum op { OP_FILL, OP_EMPTY, OP_QUIET };
struct request {
    enum op op;
    uint64_t slot, id;
};

static struct held exchange(mem_thread *t, struct state *state, uint64_t slot, struct held mine) {
    return slot_exchange(t, &state->locks[slot % LOCKS], &state->slots[slot], mine);
}

static uint64_t empty(mem_thread *t, struct state *state, uint64_t slot) {
    struct held held = exchange(t, state, slot, (struct held){0});
    return held.scope ? batch_end(t, held) : 0;
}

static struct held make(mem_thread *t, uint64_t id, uint64_t blocks, uint64_t *hash) {
    struct held held = batch_begin(t, id, (uint32_t)blocks);
    rng random = rng_at(id, 0);
    for (uint32_t i = 0; i < blocks; i++)
        batch_put(t, held, i, &random, hash);
    return held;
}

/* A slot is still full only where the request that should have emptied it is late. */
static uint64_t serve(mem_thread *t, struct state *state, const struct request *request,
                      uint64_t *dead) {
    uint64_t hash = request->id;
    if (request->op == OP_EMPTY) {
        *dead = empty(t, state, request->slot);
        return hash;
    }
    struct held held = make(t, request->id, request->op == OP_FILL ? state->blocks : 1, &hash);
    if (request->op == OP_FILL)
        held = exchange(t, state, request->slot, held);
    if (held.scope)
        *dead = batch_end(t, held);
    return hash;
}

static uint64_t idle_burst_execute(mem_thread *t, void *prepared, uint64_t i, const void *in) {
    uint64_t dead = 0;
    mem_unblock(t);
    uint64_t hash = serve(t, prepared, in, &dead);
    mem_block(t);
    return hash_pair(i, hash) + dead;
}

static void idle_burst_prepare(const void *prepared, uint64_t seed, uint64_t i, void *into) {
    const struct state *state = prepared;
    struct request *request = into;
    uint64_t at = i % state->cycle;
    request->op = at < state->slot_count       ? OP_FILL
                  : at < 2 * state->slot_count ? OP_EMPTY
                                               : OP_QUIET;
    request->slot = at % state->slot_count;
    request->id = hash_pair(seed, i);
}

static void *idle_burst_setup(mem_thread *t, const struct scenario_setup *in) {
    const SCENARIO_PARAMS *params = in->params;
    (void)t;
    if (in->live > LIVE_MAX) {
        snprintf(in->error, in->error_bytes, "idle-burst: live must be at most %llu batches",
                 (unsigned long long)LIVE_MAX);
        return NULL;
    }
    struct state *state = mem_state_new(sizeof *state);
    state->slot_count = in->live;
    state->blocks = params->blocks;
    state->cycle = 2 * in->live + params->quiet;
    state->slots = mem_state_new(in->live * sizeof *state->slots);
    for (int i = 0; i < LOCKS; i++)
        pthread_mutex_init(&state->locks[i], NULL);
    return state;
}

static uint64_t empty_all(mem_thread *t, struct state *state) {
    uint64_t sum = 0;
    for (uint64_t slot = 0; slot < state->slot_count; slot++) {
        sum += empty(t, state, slot);
        mem_safepoint(t);
    }
    return sum;
}

static void idle_burst_reset(mem_thread *t, void *prepared) {
    empty_all(t, prepared);
}

/* What the last burst has left: next to nothing if the run ends in the quiet. */
static uint64_t idle_burst_live_bytes(const void *prepared) {
    const struct state *state = prepared;
    uint64_t bytes = 0;
    for (uint64_t slot = 0; slot < state->slot_count; slot++)
        bytes += state->slots[slot].bytes;
    return bytes;
}

static uint64_t idle_burst_finish(mem_thread *t, void *prepared) {
    struct state *state = prepared;
    uint64_t sum = empty_all(t, state);
    for (int i = 0; i < LOCKS; i++)
        pthread_mutex_destroy(&state->locks[i]);
    mem_state_free(state->slots);
    mem_state_free(state);
    return sum;
}

const struct scenario scenario_idle_burst = {.name = "idle-burst",
                                             .request_bytes = sizeof(struct request),
                                             .setup = idle_burst_setup,
                                             .prepare = idle_burst_prepare,
                                             .execute = idle_burst_execute,
                                             .reset = idle_burst_reset,
                                             .live_bytes = idle_burst_live_bytes,
                                             .finish = idle_burst_finish,
                                             SCENARIO_MEMORY};
