/* SPDX-License-Identifier: MIT */
/* larson.c - servers whose objects outlive the threads that made them: Larson's benchmark.
 *
 * After the larson benchmark (Larson, Krishnan: Memory Allocation for Long-Running Server
 * Applications, ISMM 1998), with the sizes that mimalloc-bench runs it with: 8 to 1000 bytes,
 * uniform. Each of 64 servers has an array of objects and a lock. A request takes one server and
 * replaces so many of its objects, drawn at random: frees one, makes another of another size.
 * Whichever worker comes by serves it, so where there are several, most objects are freed by
 * another thread than the one that made them ("bleeding"). Every generation-th request of a server
 * is served by a fresh thread that was born for it and dies after it, on the worker's processor,
 * while its objects stay: in the original a thread ends after as many replacements as 100 times the
 * array is long (500,000), here one request of 64 in 32, so that seconds see many. The array has
 * 1000 objects, as Hoard's documentation suggests (mimalloc-bench: 5000). Objects are written and
 * read back whole.
 *
 * Stresses frees on other threads than the allocating one and thread ends that leave live objects
 * behind in the thread's own heap or cache, at a constant live set of random sizes. Read the middle
 * of the latencies for the cost of bleeding, the tail from 97 % on for the birth and death of a
 * thread, and resident against live bytes over a long run for what abandoned caches hold back.
 */
#include "load/own_thread.h"
#include "load/stress_block.h"

#include <stdio.h>
#include <stdlib.h>

#define SERVERS 64
#define BYTES_MIN 8
#define BYTES_MAX 8192 /* that the parameter allows */
#define LIVE_MAX ((uint64_t)1 << 28)

struct objects {
    uint32_t count, unused;
    mem_ref blocks[]; /* owned */
};
static const mem_type block_type = {.name = "block",
                                    .id = 0,
                                    .size = sizeof(struct block),
                                    .trailing_max = BYTES_MAX - sizeof(struct block)};
static const mem_edge objects_edge = {0, MEM_OWNED, &block_type};
static const mem_type objects_type = {.name = "objects",
                                      .id = 1,
                                      .size = sizeof(struct objects),
                                      .trailing_max =
                                          (uint32_t)(LIVE_MAX / SERVERS * sizeof(mem_ref)),
                                      .trailing_edge = &objects_edge,
                                      .count_offset = offsetof(struct objects, count)};

struct server {
    pthread_mutex_t lock;
    mem_scope *scope;
    struct objects *objects; /* owned */
    uint64_t *ids;           /* of the blocks; a plain array */
    uint64_t count, served;
    char apart[64]; /* two servers share no cache line */
};
struct state {
    struct server servers[SERVERS];
    uint64_t seed, live, size_span, replacements, generation;
};
struct request {
    uint32_t server;
    rng victims;
};

static size_t bytes_of(const struct state *state, uint64_t id) {
    return BYTES_MIN + id % state->size_span;
}

static void put_block(mem_thread *t, const struct state *state, struct server *server, uint64_t at,
                      uint64_t id) {
    server->ids[at] = id;
    mem_set(t, server->scope, server->objects, &server->objects->blocks[at], &block_type,
            block_new(t, server->scope, &block_type, id, bytes_of(state, id)));
}

/* Frees one, and returns the hash of what it held. */
static uint64_t free_block(mem_thread *t, const struct state *state, struct server *server,
                           uint64_t at) {
    struct block *block = mem_take(t, server->objects, &server->objects->blocks[at]);
    uint64_t hash = block_read(block, server->ids[at], bytes_of(state, server->ids[at]));
    mem_drop(t, server->scope, &block_type, block);
    return hash;
}

/* Under the server's lock. */
static uint64_t replace(mem_thread *t, const struct state *state, struct server *server,
                        const struct request *request) {
    uint64_t sum = 0;
    rng random = request->victims;
    mem_scope_enter(t, server->scope);
    for (uint64_t n = 0; n < state->replacements; n++) {
        uint64_t at = rng_below(&random, server->count);
        sum += free_block(t, state, server, at);
        put_block(t, state, server, at, rng_u64(&random));
    }
    mem_scope_leave(t, server->scope);
    return sum;
}

/* What a fresh thread is to do in a worker's place. */
struct errand {
    const struct state *state;
    struct server *server;
    const struct request *request;
    uint64_t sum;
};
static void *run_errand(void *argument) {
    struct errand *errand = argument;
    mem_thread *t = mem_attach();
    errand->sum = replace(t, errand->state, errand->server, errand->request);
    mem_detach(t);
    return NULL;
}

/* Under the server's lock: those who wait for it are in block, as is the worker meanwhile. */
static uint64_t replace_on_fresh_thread(mem_thread *t, const struct state *state,
                                        struct server *server, const struct request *request) {
    struct errand errand = {state, server, request, 0};
    mem_block(t);
    pthread_join(own_thread(run_errand, &errand), NULL);
    mem_unblock(t);
    return errand.sum;
}

static uint64_t larson_execute(mem_thread *t, void *prepared, uint64_t i, const void *in) {
    struct state *state = prepared;
    const struct request *request = in;
    struct server *server = &state->servers[request->server];
    (void)i; /* the blocks' ids depend on it */
    mem_unblock(t);
    scenario_lock(t, &server->lock);
    uint64_t sum = ++server->served % state->generation == 0
                       ? replace_on_fresh_thread(t, state, server, request)
                       : replace(t, state, server, request);
    pthread_mutex_unlock(&server->lock);
    mem_safepoint(t);
    mem_block(t);
    return sum;
}

static void larson_prepare(const void *state, uint64_t seed, uint64_t i, void *into) {
    struct request *request = into;
    (void)state;
    rng random = rng_at(seed, i);
    request->server = (uint32_t)rng_below(&random, SERVERS);
    request->victims = random;
}

/* Gives each server the objects that a process starts with. */
static void fill(mem_thread *t, struct state *state) {
    for (uint32_t n = 0; n < SERVERS; n++) {
        struct server *server = &state->servers[n];
        mem_scope_enter(t, server->scope);
        for (uint64_t at = 0; at < server->count; at++)
            put_block(t, state, server, at, hash_pair(state->seed, at * SERVERS + n));
        mem_scope_leave(t, server->scope);
        mem_safepoint(t);
    }
}
static uint64_t empty(mem_thread *t, struct state *state) {
    uint64_t sum = 0;
    for (uint32_t n = 0; n < SERVERS; n++) {
        struct server *server = &state->servers[n];
        mem_scope_enter(t, server->scope);
        for (uint64_t at = 0; at < server->count; at++)
            sum += free_block(t, state, server, at);
        mem_scope_leave(t, server->scope);
        mem_safepoint(t);
    }
    return sum;
}

static void make_server(mem_thread *t, struct server *server, uint64_t count) {
    pthread_mutex_init(&server->lock, NULL);
    server->count = count;
    server->ids = calloc(count, sizeof *server->ids);
    if (!server->ids)
        host_out_of_memory(count * sizeof *server->ids);
    server->scope = mem_scope_begin(t);
    server->objects = mem_new(t, server->scope, &objects_type, count * sizeof(mem_ref));
    mem_scope_leave(t, server->scope);
}

static void *larson_setup(mem_thread *t, const struct scenario_setup *in) {
    const SCENARIO_PARAMS *p = in->params;
    if (in->live < SERVERS || in->live > LIVE_MAX) {
        snprintf(in->error, in->error_bytes, "larson: live must be from %d to %llu objects",
                 SERVERS, (unsigned long long)LIVE_MAX);
        return NULL;
    }
    struct state *state = mem_state_new(sizeof *state);
    state->seed = in->seed;
    state->live = in->live;
    state->size_span = p->bytes_max - BYTES_MIN + 1;
    state->replacements = p->replacements;
    state->generation = p->generation;
    for (uint32_t n = 0; n < SERVERS; n++)
        make_server(t, &state->servers[n], in->live / SERVERS + (n < in->live % SERVERS));
    fill(t, state);
    return state;
}

static void larson_reset(mem_thread *t, void *state) {
    empty(t, state);
    fill(t, state);
}

static uint64_t larson_live_bytes(const void *prepared) {
    const struct state *state = prepared;
    uint64_t bytes = 0;
    for (uint32_t n = 0; n < SERVERS; n++) {
        const struct server *server = &state->servers[n];
        bytes += sizeof(struct objects) + server->count * sizeof(mem_ref);
        for (uint64_t at = 0; at < server->count; at++)
            bytes += bytes_of(state, server->ids[at]);
    }
    return bytes;
}

static uint64_t larson_finish(mem_thread *t, void *prepared) {
    struct state *state = prepared;
    uint64_t sum = empty(t, state);
    for (uint32_t n = 0; n < SERVERS; n++) {
        struct server *server = &state->servers[n];
        mem_scope_enter(t, server->scope);
        mem_drop(t, server->scope, &objects_type, server->objects);
        server->objects = NULL;
        mem_scope_end(t, server->scope);
        free(server->ids);
        pthread_mutex_destroy(&server->lock);
    }
    mem_state_free(state);
    return sum;
}

const struct scenario scenario_larson = {.name = "larson",
                                         .request_bytes = sizeof(struct request),
                                         .setup = larson_setup,
                                         .prepare = larson_prepare,
                                         .execute = larson_execute,
                                         .reset = larson_reset,
                                         .live_bytes = larson_live_bytes,
                                         .finish = larson_finish,
                                         SCENARIO_MEMORY};
