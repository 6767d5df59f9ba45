/* SPDX-License-Identifier: MIT */
/* producer_consumer.c - what workers allocate, other threads free: the pattern that blows up heaps.
 *
 * After the producer-consumer pattern of Hoard's paper (Berger, McKinley, Blumofe, Wilson: Hoard: A
 * Scalable Memory Allocator for Multithreaded Applications, ASPLOS 2000, on blowup): an allocator
 * whose threads keep what they free lets the consumer's heap grow without bound, as the producer
 * never gets it back. A request makes a batch of objects, one by one, and puts it into a bounded
 * queue in which `live` objects always stand; consumers, threads of the scenario's own, take the
 * oldest batch beyond these, read it back and free its objects one by one. A producer that finds
 * 64 batches too many waits: what consumers cannot keep up with is part of the latency.
 * The paper gives no sizes; they are xmalloc-test's (Lever, Boreham: malloc() Performance in a
 * Multithreaded Linux Environment, USENIX 2000): 17 from 8 to 2048 bytes, equally often.
 *
 * Stresses how memory finds its way back to the thread that allocates from the one that frees, and
 * the lock or message by which it does. Read peak resident against live bytes for the blowup, which
 * must not grow with the number of requests, and the tail for producers that wait.
 */
#include "load/own_thread.h"
#include "load/stress_batch.h"

#include <stdio.h>

#define CONSUMERS_MAX 16
#define QUEUE_SLACK 64 /* batches beyond those that stand in the queue */
#define LIVE_MAX ((uint64_t)1 << 26)

struct state {
    pthread_mutex_t lock; /* of all down to `closed` */
    pthread_cond_t filled, emptied, idle;
    mem_parcel *ring; /* state memory */
    uint32_t first, count, capacity, standing, busy;
    uint64_t sum; /* of what was consumed */
    bool closed;
    _Atomic uint64_t live_bytes; /* relaxed: a count */
    uint64_t seed;
    uint32_t batches, batch, bytes, consumer_count;
    pthread_t consumers[CONSUMERS_MAX];
};
struct request {
    uint64_t first;
};

static void count_bytes(struct state *state, uint64_t bytes) {
    atomic_fetch_add_explicit(&state->live_bytes, bytes, memory_order_relaxed);
}

static void put(mem_thread *t, struct state *state, mem_scope *s, struct batch *batch) {
    scenario_lock(t, &state->lock);
    while (state->count == state->capacity)
        wait_on(t, &state->lock, &state->emptied);
    uint32_t at = (state->first + state->count++) % state->capacity;
    state->ring[at] = mem_send(t, s, &batch_type, batch, 1);
    if (state->count > state->standing)
        pthread_cond_signal(&state->filled);
    pthread_mutex_unlock(&state->lock);
}

/* The oldest batch once there are more than are to stand; NULL when all is over. */
static struct batch *take(mem_thread *t, struct state *state, mem_scope **s) {
    struct batch *batch = NULL;
    scenario_lock(t, &state->lock);
    while (state->count <= state->standing && !state->closed)
        wait_on(t, &state->lock, &state->filled);
    if (!state->closed) {
        batch = mem_receive(t, &state->ring[state->first], s);
        state->ring[state->first] = (mem_parcel){0};
        state->first = (state->first + 1) % state->capacity;
        state->count--;
        state->busy++;
        pthread_cond_signal(&state->emptied);
    }
    pthread_mutex_unlock(&state->lock);
    return batch;
}

static uint64_t consume(mem_thread *t, struct state *state, mem_scope *s, struct batch *batch) {
    uint64_t sum = 0;
    count_bytes(state, 0 - batch_live_bytes(batch->first, batch->count, batch->bytes));
    for (uint32_t k = 0; k < batch->count; k++) {
        sum += batch_read_block(batch, k);
        mem_drop(t, s, &block_type, mem_take(t, batch, &batch->blocks[k]));
    }
    mem_drop(t, s, &batch_type, batch);
    mem_scope_end(t, s);
    return sum;
}

static void *consumer_main(void *argument) {
    struct state *state = argument;
    mem_thread *t = mem_attach();
    struct batch *batch;
    for (mem_scope *s; (batch = take(t, state, &s));) {
        uint64_t sum = consume(t, state, s, batch);
        scenario_lock(t, &state->lock);
        state->sum += sum;
        state->busy--;
        if (state->busy == 0 && state->count == 0)
            pthread_cond_signal(&state->idle);
        pthread_mutex_unlock(&state->lock);
    }
    mem_detach(t);
    return NULL;
}

static void produce(mem_thread *t, struct state *state, uint64_t first) {
    mem_scope *s = mem_scope_begin(t);
    struct batch *batch = batch_new(t, s, first, state->batch, state->bytes);
    count_bytes(state, batch_live_bytes(first, state->batch, state->bytes));
    put(t, state, s, batch);
}

/* What is made is added up where it is consumed. */
static uint64_t producer_consumer_execute(mem_thread *t, void *state, uint64_t i, const void *in) {
    const struct request *request = in;
    (void)i; /* the batch's first id depends on it */
    mem_unblock(t);
    produce(t, state, request->first);
    mem_safepoint(t);
    mem_block(t);
    return 0;
}

static void producer_consumer_prepare(const void *state, uint64_t seed, uint64_t i, void *into) {
    struct request *request = into;
    (void)state;
    request->first = hash_pair(seed, i);
}

static void fill(mem_thread *t, struct state *state) {
    for (uint32_t n = 0; n < state->batches; n++) {
        produce(t, state, hash_pair(state->seed ^ RNG_GOLDEN, n));
        mem_safepoint(t);
    }
}
/* Has all consumed, what stands in the queue as well; no worker runs. Returns what was consumed
 * since the last time. */
static uint64_t drain(mem_thread *t, struct state *state) {
    scenario_lock(t, &state->lock);
    state->standing = 0;
    pthread_cond_broadcast(&state->filled);
    while (state->count > 0 || state->busy > 0)
        wait_on(t, &state->lock, &state->idle);
    uint64_t sum = state->sum;
    state->sum = 0;
    state->standing = state->batches;
    pthread_mutex_unlock(&state->lock);
    return sum;
}

static void *producer_consumer_setup(mem_thread *t, const struct scenario_setup *in) {
    const SCENARIO_PARAMS *p = in->params;
    if (!batch_size_fits(p->bytes) || in->live < p->batch || in->live > LIVE_MAX) {
        snprintf(in->error, in->error_bytes,
                 "producer-consumer: live must be from one batch (%llu) to %llu objects, and bytes "
                 "0 or at least %zu",
                 (unsigned long long)p->batch, (unsigned long long)LIVE_MAX, BLOCK_WORD);
        return NULL;
    }
    struct state *state = mem_state_new(sizeof *state);
    pthread_mutex_init(&state->lock, NULL);
    pthread_cond_init(&state->filled, NULL);
    pthread_cond_init(&state->emptied, NULL);
    pthread_cond_init(&state->idle, NULL);
    state->seed = in->seed;
    state->batch = (uint32_t)p->batch;
    state->bytes = (uint32_t)p->bytes;
    state->batches = state->standing = (uint32_t)(in->live / p->batch);
    state->capacity = state->standing + QUEUE_SLACK;
    state->ring = mem_state_new(state->capacity * sizeof *state->ring);
    state->consumer_count = (uint32_t)p->consumers;
    for (uint32_t n = 0; n < state->consumer_count; n++)
        state->consumers[n] = own_thread(consumer_main, state);
    fill(t, state);
    return state;
}

static void producer_consumer_reset(mem_thread *t, void *state) {
    drain(t, state);
    fill(t, state);
}

/* Consumers may still be at what producers left. */
static uint64_t producer_consumer_live_bytes(const void *prepared) {
    const struct state *state = prepared;
    return atomic_load_explicit(&state->live_bytes, memory_order_relaxed);
}

static uint64_t producer_consumer_finish(mem_thread *t, void *prepared) {
    struct state *state = prepared;
    uint64_t sum = drain(t, state);
    scenario_lock(t, &state->lock);
    state->closed = true;
    pthread_cond_broadcast(&state->filled);
    pthread_mutex_unlock(&state->lock);
    for (uint32_t n = 0; n < state->consumer_count; n++)
        own_thread_join(t, state->consumers[n]);
    if (atomic_load_explicit(&state->live_bytes, memory_order_relaxed) != 0)
        host_violation("producer-consumer: not all that was produced was consumed");
    pthread_cond_destroy(&state->filled);
    pthread_cond_destroy(&state->emptied);
    pthread_cond_destroy(&state->idle);
    pthread_mutex_destroy(&state->lock);
    mem_state_free(state->ring);
    mem_state_free(state);
    return sum;
}

const struct scenario scenario_producer_consumer = {.name = "producer-consumer",
                                                    .request_bytes = sizeof(struct request),
                                                    .setup = producer_consumer_setup,
                                                    .prepare = producer_consumer_prepare,
                                                    .execute = producer_consumer_execute,
                                                    .reset = producer_consumer_reset,
                                                    .live_bytes = producer_consumer_live_bytes,
                                                    .finish = producer_consumer_finish,
                                                    SCENARIO_MEMORY};
