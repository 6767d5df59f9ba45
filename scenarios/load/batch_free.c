/* SPDX-License-Identifier: MIT */
/* batch_free.c - thousands of objects that another thread made are freed at once, again and again.
 *
 * After xmalloc-test (Lever, Boreham: malloc() Performance in a Multithreaded Linux Environment,
 * USENIX 2000; in mimalloc-bench by C. Eder, run with 64 bytes), which hands objects over in
 * batches of 4096, beyond any thread's cache; see also Kuszmaul: SuperMalloc: A Super Fast
 * Multithreaded Malloc for 64-bit Machines, ISMM 2015. Threads of the scenario's own, as many as
 * workers, only make batches, the workers only free them. A request orders one batch, takes the
 * oldest that is ready (waiting where makers lag behind), reads it back and gives it all back at
 * once. So the number of batches is constant: 16 where xmalloc-test allows 100. The original
 * measures the rate of frees; here a storm of them is the unit of latency, of 1024 objects to keep
 * it well below 1 ms.
 *
 * Stresses bulk frees on a thread that never allocates: caches that overflow, and queues or locks
 * of the heap that owns the objects, which its own thread is allocating from meanwhile. Read the
 * median for the price of a storm (an arena pays next to nothing but the reading), and the tail for
 * storms that met another one.
 */
#include "load/own_thread.h"
#include "load/stress_batch.h"

#include <stdio.h>

#define MAKERS_MAX 64 /* as many as workers */
#define LIVE_MAX ((uint64_t)1 << 26)

/* Each batch is ordered, being made, or ready: there are as many as `batches`, and one for each
 * worker that waits. So no ring ever overflows, and who waits waits for what was ordered. */
struct state {
    pthread_mutex_t lock; /* of all down to `closed` */
    pthread_cond_t ordered, ready;
    uint64_t *orders; /* first ids; state memory, as is `ring` */
    mem_parcel *ring; /* that are ready */
    uint32_t order_first, order_count, first, count, capacity;
    bool closed;
    uint64_t seed;
    uint32_t batches, batch, bytes, maker_count;
    pthread_t makers[MAKERS_MAX];
};
struct request {
    uint64_t first;
};

/* Under the lock. */
static void order(struct state *state, uint64_t first) {
    if (state->order_count + state->count == state->capacity)
        host_violation("batch-free: more batches than there can be");
    state->orders[(state->order_first + state->order_count++) % state->capacity] = first;
    pthread_cond_signal(&state->ordered);
}

static bool next_order(mem_thread *t, struct state *state, uint64_t *first) {
    scenario_lock(t, &state->lock);
    while (state->order_count == 0 && !state->closed)
        wait_on(t, &state->lock, &state->ordered);
    bool found = state->order_count > 0;
    if (found) {
        *first = state->orders[state->order_first];
        state->order_first = (state->order_first + 1) % state->capacity;
        state->order_count--;
    }
    pthread_mutex_unlock(&state->lock);
    return found;
}

static void *maker_main(void *argument) {
    struct state *state = argument;
    mem_thread *t = mem_attach();
    for (uint64_t first; next_order(t, state, &first);) {
        mem_scope *s = mem_scope_begin(t);
        struct batch *batch = batch_new(t, s, first, state->batch, state->bytes);
        mem_safepoint(t);
        scenario_lock(t, &state->lock);
        uint32_t at = (state->first + state->count++) % state->capacity;
        state->ring[at] = mem_send(t, s, &batch_type, batch, 1);
        pthread_cond_signal(&state->ready);
        pthread_mutex_unlock(&state->lock);
    }
    mem_detach(t);
    return NULL;
}

/* Takes the oldest batch that is ready, under the lock. */
static struct batch *take(mem_thread *t, struct state *state, mem_scope **s) {
    while (state->count == 0)
        wait_on(t, &state->lock, &state->ready);
    struct batch *batch = mem_receive(t, &state->ring[state->first], s);
    state->ring[state->first] = (mem_parcel){0};
    state->first = (state->first + 1) % state->capacity;
    state->count--;
    return batch;
}

static uint64_t free_batch(mem_thread *t, mem_scope *s, struct batch *batch) {
    uint64_t sum = 0;
    for (uint32_t k = 0; k < batch->count; k++)
        sum += batch_read_block(batch, k);
    mem_drop(t, s, &batch_type, batch);
    mem_scope_end(t, s);
    return sum;
}

static uint64_t batch_free_execute(mem_thread *t, void *prepared, uint64_t i, const void *in) {
    struct state *state = prepared;
    const struct request *request = in;
    (void)i; /* the ordered batch's ids depend on it */
    mem_scope *s;
    mem_unblock(t);
    scenario_lock(t, &state->lock);
    order(state, request->first);
    struct batch *batch = take(t, state, &s);
    pthread_mutex_unlock(&state->lock);
    uint64_t sum = free_batch(t, s, batch);
    mem_block(t);
    return sum;
}

static void batch_free_prepare(const void *state, uint64_t seed, uint64_t i, void *into) {
    struct request *request = into;
    (void)state;
    request->first = hash_pair(seed, i);
}

/* Orders what a process starts with, and waits until it is ready; no worker runs. */
static void fill(mem_thread *t, struct state *state) {
    scenario_lock(t, &state->lock);
    for (uint32_t n = 0; n < state->batches; n++)
        order(state, hash_pair(state->seed ^ RNG_GOLDEN, n));
    while (state->count < state->batches)
        wait_on(t, &state->lock, &state->ready);
    pthread_mutex_unlock(&state->lock);
}
static uint64_t empty(mem_thread *t, struct state *state) {
    uint64_t sum = 0;
    for (uint32_t n = 0; n < state->batches; n++) {
        mem_scope *s;
        scenario_lock(t, &state->lock);
        struct batch *batch = take(t, state, &s);
        pthread_mutex_unlock(&state->lock);
        sum += free_batch(t, s, batch);
    }
    return sum;
}

static void *batch_free_setup(mem_thread *t, const struct scenario_setup *in) {
    const SCENARIO_PARAMS *p = in->params;
    if (!batch_size_fits(p->bytes) || in->live < p->batch || in->live > LIVE_MAX ||
        in->threads > MAKERS_MAX) {
        snprintf(
            in->error, in->error_bytes,
            "batch-free: live must be from one batch (%llu) to %llu objects, and bytes 0 or at "
            "least %zu",
            (unsigned long long)p->batch, (unsigned long long)LIVE_MAX, BLOCK_WORD);
        return NULL;
    }
    struct state *state = mem_state_new(sizeof *state);
    pthread_mutex_init(&state->lock, NULL);
    pthread_cond_init(&state->ordered, NULL);
    pthread_cond_init(&state->ready, NULL);
    state->seed = in->seed;
    state->batch = (uint32_t)p->batch;
    state->bytes = (uint32_t)p->bytes;
    state->batches = (uint32_t)(in->live / p->batch);
    state->capacity = state->batches + in->threads;
    state->orders = mem_state_new(state->capacity * sizeof *state->orders);
    state->ring = mem_state_new(state->capacity * sizeof *state->ring);
    state->maker_count = in->threads;
    for (uint32_t n = 0; n < state->maker_count; n++)
        state->makers[n] = own_thread(maker_main, state);
    fill(t, state);
    return state;
}

static void batch_free_reset(mem_thread *t, void *state) {
    empty(t, state);
    fill(t, state);
}

/* As if all batches were ready. Which sizes they drew is not known here: a sample is taken. */
static uint64_t batch_free_live_bytes(const void *prepared) {
    const struct state *state = prepared;
    return state->batches * batch_live_bytes(state->seed, state->batch, state->bytes);
}

static uint64_t batch_free_finish(mem_thread *t, void *prepared) {
    struct state *state = prepared;
    uint64_t sum = empty(t, state);
    scenario_lock(t, &state->lock);
    state->closed = true;
    pthread_cond_broadcast(&state->ordered);
    pthread_mutex_unlock(&state->lock);
    for (uint32_t n = 0; n < state->maker_count; n++)
        own_thread_join(t, state->makers[n]);
    pthread_cond_destroy(&state->ordered);
    pthread_cond_destroy(&state->ready);
    pthread_mutex_destroy(&state->lock);
    mem_state_free(state->orders);
    mem_state_free(state->ring);
    mem_state_free(state);
    return sum;
}

const struct scenario scenario_batch_free = {.name = "batch-free",
                                             .request_bytes = sizeof(struct request),
                                             .setup = batch_free_setup,
                                             .prepare = batch_free_prepare,
                                             .execute = batch_free_execute,
                                             .reset = batch_free_reset,
                                             .live_bytes = batch_free_live_bytes,
                                             .finish = batch_free_finish,
                                             SCENARIO_MEMORY};
