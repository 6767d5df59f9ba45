/* SPDX-License-Identifier: MIT */
/* false_sharing.c - small objects that different threads write, and what cache lines they lie on.
 *
 * After the benchmarks of Hoard's paper (Berger, McKinley, Blumofe, Wilson: Hoard: A Scalable
 * Memory Allocator for Multithreaded Applications, ASPLOS 2000): active-false (cache-thrash), where
 * each thread allocates an object of 8 bytes, writes it many times and frees it, and passive-false
 * (cache-scratch), where it first frees an object that came from another thread and so may be given
 * that memory again. Here, kind=passive: `live` objects lie in places; a request puts a new one in
 * a place drawn at random, takes the one that was there, whoever made it, writes it and frees it.
 * kind=active: a request writes an object of its own; those in places only lie between. A
 * neighbour, a thread of the scenario's own, does the same all the time while requests come, so
 * that one worker has somebody to share a line with; it needs a processor. Objects have 8 bytes as
 * in Hoard's documentation (mimalloc-bench: 1), and are written 1000 times instead of 1,000,000 /
 * threads times, so that a request takes microseconds.
 *
 * Stresses the placement of objects: an allocator that puts two threads' objects on one cache line,
 * or hands a thread memory next to another's, makes each write a miss. Read the median against the
 * same run with neighbours=0 and one worker, which shares nothing: what lies between is false
 * sharing, as long as there is a processor for each thread.
 */
#include "load/own_thread.h"
#include "load/stress_block.h"

#include <stdio.h>
#include <stdlib.h>

#define NEIGHBOURS_MAX 16
#define BYTES_MAX 256
#define LIVE_MAX ((uint64_t)1 << 16)
#define IDLE_BURSTS 256 /* of a neighbour, until it looks whether there were any requests */

enum kind { KIND_ACTIVE, KIND_PASSIVE };

static const mem_type block_type = {.name = "block",
                                    .id = 0,
                                    .size = sizeof(struct block),
                                    .trailing_max = BYTES_MAX - sizeof(struct block)};

struct state;
struct neighbour {
    pthread_t thread;
    struct state *state;
    uint32_t number;
    _Atomic bool stirred; /* relaxed: there was a request since it last looked; a hint */
    char apart[64];       /* two neighbours share no cache line */
};
struct state {
    uint64_t seed, live, bytes, writes;
    enum kind kind;
    uint32_t neighbour_count;
    uint64_t *ids;           /* of the objects in places; a plain array, under the lock */
    mem_parcel *places;      /* state memory, under the lock */
    _Atomic uint32_t asleep; /* neighbours; relaxed: whoever misses one wakes it next time */
    _Atomic bool closed;     /* written under the lock; relaxed: read there, or as a hint */
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct neighbour neighbours[NEIGHBOURS_MAX];
};
struct request {
    uint64_t place, id;
};

/* Writes each word of it many times, what it holds in the end last. */
static void scribble(const struct state *state, struct block *block, uint64_t id) {
    volatile uint64_t *words = (volatile uint64_t *)(void *)block;
    uint64_t wrong = 0;
    for (uint64_t n = state->writes; n-- > 0;)
        for (uint64_t at = 0; at < state->bytes; at += BLOCK_WORD) {
            words[at / BLOCK_WORD] = block_word(id, at) ^ n;
            wrong |= words[at / BLOCK_WORD] ^ block_word(id, at) ^ n;
        }
    if (wrong)
        host_violation("false-sharing: an object does not hold what was just written to it");
}

/* Writes and frees an object; returns the hash of what it held. */
static uint64_t use_up(mem_thread *t, const struct state *state, mem_scope *s, struct block *block,
                       uint64_t id) {
    scribble(state, block, id);
    uint64_t hash = block_read(block, id, state->bytes);
    mem_drop(t, s, &block_type, block);
    mem_scope_end(t, s);
    return hash;
}

static uint64_t use_own(mem_thread *t, const struct state *state, uint64_t id) {
    mem_scope *s = mem_scope_begin(t);
    return use_up(t, state, s, block_new(t, s, &block_type, id, state->bytes), id);
}

/* Puts an object with that id in the place and uses up the one that was there. With `same`, the new
 * object gets the id of the old one, so that nobody can tell that it was replaced. */
static uint64_t use_placed(mem_thread *t, struct state *state, uint64_t place, uint64_t id,
                           bool same) {
    mem_scope *s = mem_scope_begin(t), *old_scope;
    struct block *block = block_new(t, s, &block_type, id, state->bytes);
    scenario_lock(t, &state->lock);
    uint64_t old_id = state->ids[place];
    if (same)
        block_write(block, old_id, state->bytes);
    else
        state->ids[place] = id;
    struct block *old = mem_receive(t, &state->places[place], &old_scope);
    state->places[place] = mem_send(t, s, &block_type, block, 1);
    pthread_mutex_unlock(&state->lock);
    return use_up(t, state, old_scope, old, old_id);
}

/* Until the next request, or the end; true at the end. */
static bool sleep_until_stirred(mem_thread *t, struct neighbour *neighbour) {
    struct state *state = neighbour->state;
    mem_block(t);
    pthread_mutex_lock(&state->lock);
    atomic_fetch_add_explicit(&state->asleep, 1, memory_order_relaxed);
    while (!atomic_load_explicit(&neighbour->stirred, memory_order_relaxed) &&
           !atomic_load_explicit(&state->closed, memory_order_relaxed))
        pthread_cond_wait(&state->wake, &state->lock);
    atomic_fetch_sub_explicit(&state->asleep, 1, memory_order_relaxed);
    bool closed = atomic_load_explicit(&state->closed, memory_order_relaxed);
    pthread_mutex_unlock(&state->lock);
    mem_unblock(t);
    return closed;
}

static void *neighbour_main(void *argument) {
    struct neighbour *neighbour = argument;
    struct state *state = neighbour->state;
    mem_thread *t = mem_attach();
    rng random = rng_at(state->seed, neighbour->number);
    while (!sleep_until_stirred(t, neighbour)) {
        atomic_store_explicit(&neighbour->stirred, false, memory_order_relaxed);
        for (int n = 0; n < IDLE_BURSTS; n++) {
            uint64_t id = rng_u64(&random);
            if (state->kind == KIND_ACTIVE)
                use_own(t, state, id);
            else
                use_placed(t, state, rng_below(&random, state->live), id, true);
            if (atomic_load_explicit(&state->closed, memory_order_relaxed))
                break;
        }
    }
    mem_detach(t);
    return NULL;
}

/* A neighbour's flag is written once in IDLE_BURSTS, so that it is no shared line itself. */
static void stir(mem_thread *t, struct state *state) {
    bool stirred = true;
    for (uint32_t n = 0; n < state->neighbour_count; n++) {
        _Atomic bool *flag = &state->neighbours[n].stirred;
        if (atomic_load_explicit(flag, memory_order_relaxed))
            continue;
        atomic_store_explicit(flag, true, memory_order_relaxed);
        stirred = false;
    }
    if (stirred || atomic_load_explicit(&state->asleep, memory_order_relaxed) == 0)
        return;
    scenario_lock(t, &state->lock);
    pthread_cond_broadcast(&state->wake);
    pthread_mutex_unlock(&state->lock);
}

static uint64_t false_sharing_execute(mem_thread *t, void *prepared, uint64_t i, const void *in) {
    struct state *state = prepared;
    const struct request *request = in;
    (void)i; /* the object's id depends on it */
    mem_unblock(t);
    stir(t, state);
    uint64_t hash = state->kind == KIND_ACTIVE
                        ? use_own(t, state, request->id)
                        : use_placed(t, state, request->place, request->id, false);
    mem_block(t);
    return hash;
}

static void false_sharing_prepare(const void *prepared, uint64_t seed, uint64_t i, void *into) {
    const struct state *state = prepared;
    struct request *request = into;
    rng random = rng_at(seed, i);
    request->place = rng_below(&random, state->live);
    request->id = rng_u64(&random);
}

/* Puts what a process starts with into all places; back to back, as one thread makes them. */
static void fill(mem_thread *t, struct state *state) {
    scenario_lock(t, &state->lock);
    for (uint64_t place = 0; place < state->live; place++) {
        mem_scope *s = mem_scope_begin(t);
        state->ids[place] = hash_pair(state->seed ^ RNG_GOLDEN, place);
        state->places[place] = mem_send(
            t, s, &block_type, block_new(t, s, &block_type, state->ids[place], state->bytes), 1);
    }
    pthread_mutex_unlock(&state->lock);
}
static uint64_t empty(mem_thread *t, struct state *state) {
    uint64_t sum = 0;
    for (uint64_t place = 0; place < state->live; place++) {
        mem_scope *s;
        struct block *block = mem_receive(t, &state->places[place], &s);
        state->places[place] = (mem_parcel){0};
        sum += block_read(block, state->ids[place], state->bytes);
        mem_drop(t, s, &block_type, block);
        mem_scope_end(t, s);
    }
    return sum;
}

static void start_neighbours(struct state *state) {
    for (uint32_t n = 0; n < state->neighbour_count; n++) {
        struct neighbour *neighbour = &state->neighbours[n];
        neighbour->state = state;
        neighbour->number = n;
        neighbour->thread = own_thread(neighbour_main, neighbour);
    }
}
static void stop_neighbours(mem_thread *t, struct state *state) {
    scenario_lock(t, &state->lock);
    atomic_store_explicit(&state->closed, true, memory_order_relaxed);
    pthread_cond_broadcast(&state->wake);
    pthread_mutex_unlock(&state->lock);
    for (uint32_t n = 0; n < state->neighbour_count; n++)
        own_thread_join(t, state->neighbours[n].thread);
    atomic_store_explicit(&state->closed, false, memory_order_relaxed);
}

static void *false_sharing_setup(mem_thread *t, const struct scenario_setup *in) {
    const SCENARIO_PARAMS *p = in->params;
    if (in->live > LIVE_MAX || p->bytes % BLOCK_WORD != 0) {
        snprintf(in->error, in->error_bytes,
                 "false-sharing: live must be at most %llu objects, and bytes a multiple of %zu",
                 (unsigned long long)LIVE_MAX, BLOCK_WORD);
        return NULL;
    }
    struct state *state = mem_state_new(sizeof *state);
    pthread_mutex_init(&state->lock, NULL);
    pthread_cond_init(&state->wake, NULL);
    state->seed = in->seed;
    state->live = in->live;
    state->kind = (enum kind)p->kind;
    state->bytes = p->bytes;
    state->writes = p->writes;
    state->neighbour_count = (uint32_t)p->neighbours;
    state->ids = calloc(state->live, sizeof *state->ids);
    if (!state->ids)
        host_out_of_memory(state->live * sizeof *state->ids);
    state->places = mem_state_new(state->live * sizeof *state->places);
    fill(t, state);
    start_neighbours(state);
    return state;
}

static void false_sharing_reset(mem_thread *t, void *prepared) {
    struct state *state = prepared;
    stop_neighbours(t, state);
    empty(t, state);
    fill(t, state);
    start_neighbours(state);
}

static uint64_t false_sharing_live_bytes(const void *prepared) {
    const struct state *state = prepared;
    return state->live * state->bytes;
}

static uint64_t false_sharing_finish(mem_thread *t, void *prepared) {
    struct state *state = prepared;
    stop_neighbours(t, state);
    uint64_t sum = empty(t, state);
    pthread_cond_destroy(&state->wake);
    pthread_mutex_destroy(&state->lock);
    free(state->ids);
    mem_state_free(state->places);
    mem_state_free(state);
    return sum;
}

const struct scenario scenario_false_sharing = {.name = "false-sharing",
                                                .request_bytes = sizeof(struct request),
                                                .setup = false_sharing_setup,
                                                .prepare = false_sharing_prepare,
                                                .execute = false_sharing_execute,
                                                .reset = false_sharing_reset,
                                                .live_bytes = false_sharing_live_bytes,
                                                .finish = false_sharing_finish,
                                                SCENARIO_MEMORY};
