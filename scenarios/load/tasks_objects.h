/* SPDX-License-Identifier: MIT */
/* tasks_objects.h - what the scheduler's threads hand to each other: tasks, results, batches of
 * sleeping tasks; and the state that they share.
 */
#ifndef TAILRACE_SCENARIOS_TASKS_OBJECTS_H
#define TAILRACE_SCENARIOS_TASKS_OBJECTS_H

#include "load/tasks_deque.h"

#include <semaphore.h>

#define LEAVES_MIN 8
#define LEAVES_OCTAVES 6 /* up to 256 */
#define PAYLOAD_WORDS_MIN 8
#define PAYLOAD_WORDS_MAX 128
#define CHILDREN_MAX 9 /* spawned by one task: log2 of the leaves, and the batch's */
#define NEST_MAX 4     /* stolen tasks on one stack, each begun while the one below waits */
#define FUTURES_MAX (40 * (NEST_MAX + 1)) /* on one stack: 9 + 7 + 6 + ... for each */
#define BATCH_TASKS 16
#define BATCH_NONE UINT32_MAX
#define LIVE_MAX ((uint64_t)1 << 28)
_Static_assert(FUTURES_MAX <= DEQUE_PARCELS_MAX, "each task in a deque has a future");

enum future_state { FUTURE_PENDING, FUTURE_WAITED, FUTURE_DONE };
/* Of who spawned, in its state memory, until it has joined. */
struct future {
    _Atomic uint32_t state;
    _Atomic bool cancelled; /* relaxed: seen late, only more is done in vain */
    bool drawn;             /* to be cancelled: its result is not used */
    struct executor *owner;
    mem_parcel result; /* written before state is DONE */
};
struct task {
    struct future *future;
    uint64_t seed; /* of the job */
    uint32_t low, high, batch, word_count;
    uint64_t words[];
};
/* Of the leaves that count, in their order. */
struct result {
    uint32_t count, unused;
    uint64_t digests[];
};
struct sleeper {
    uint32_t word_count, unused;
    mem_ref next; /* owned */
    uint64_t words[];
};
static const mem_type task_type = {.name = "task",
                                   .id = 0,
                                   .size = sizeof(struct task),
                                   .trailing_max = PAYLOAD_WORDS_MAX * sizeof(uint64_t)};
static const mem_type result_type = {.name = "result",
                                     .id = 1,
                                     .size = sizeof(struct result),
                                     .trailing_max = ((LEAVES_MIN << (LEAVES_OCTAVES - 1)) + 1) *
                                                     sizeof(uint64_t)};
static const mem_type sleeper_type;
static const mem_edge sleeper_edges[] = {
    {offsetof(struct sleeper, next), MEM_OWNED, &sleeper_type}};
static const mem_type sleeper_type = {.name = "sleeper",
                                      .id = 2,
                                      .size = sizeof(struct sleeper),
                                      .trailing_max = PAYLOAD_WORDS_MAX * sizeof(uint64_t),
                                      .edge_count = 1,
                                      .edges = sleeper_edges};

/* What a thread needs to execute tasks: a worker's is claimed for a request, a helper's its own. */
struct executor {
    _Atomic bool claimed;
    mem_thread *t;
    struct state *state;
    uint32_t nest, future_count;
    rng victims;
    sem_t wake; /* posted once for each future of its own that it left WAITED */
    pthread_t thread;
    struct deque deque;
    struct future futures[FUTURES_MAX]; /* a stack */
    char apart[64];
};
struct batch {
    pthread_mutex_t lock;
    mem_parcel parcel; /* of the first sleeper */
    uint64_t fired;
};
struct state {
    uint64_t seed, batch_count, live_bytes, cancel_per_mille;
    uint32_t worker_count, executor_count;
    struct executor *executors; /* workers', then helpers'; state memory, as the batches are */
    struct batch *batches;
    pthread_mutex_t idle_lock;
    pthread_cond_t idle_go;
    _Atomic uint32_t sleeping; /* helpers */
    _Atomic bool stop;
};
struct request {
    uint64_t seed;
    uint32_t leaves, batch, counted; /* leaves that are not cancelled, and the batch */
};

static uint32_t payload_words(rng *random) {
    return PAYLOAD_WORDS_MIN +
           (uint32_t)rng_below(random, PAYLOAD_WORDS_MAX - PAYLOAD_WORDS_MIN + 1);
}
static void payload_fill(uint64_t *words, uint32_t count, rng *random) {
    for (uint32_t i = 0; i < count; i++)
        words[i] = rng_u64(random);
}
/* Hashes a payload, and holds it against what was written there. */
static uint64_t payload_digest(const uint64_t *words, uint32_t count, rng random, uint64_t number) {
    if (count != payload_words(&random))
        host_violation("tasks: a payload is not of the size that it was given");
    for (uint32_t i = 0; i < count; i++)
        if (words[i] != rng_u64(&random))
            host_violation("tasks: a payload is not what was written there");
    return hash_bytes(number, words, count * sizeof *words);
}

static bool is_drawn(const struct state *state, uint64_t seed, uint32_t low) {
    rng random = rng_at(~seed, low);
    return rng_below(&random, 1000) < state->cancel_per_mille;
}
static bool is_cancelled(struct future *future) {
    return atomic_load_explicit(&future->cancelled, memory_order_relaxed);
}
static void cancel(struct future *futures, uint32_t count, bool all) {
    for (uint32_t i = 0; i < count; i++)
        if (all || futures[i].drawn)
            atomic_store_explicit(&futures[i].cancelled, true, memory_order_relaxed);
}

static rng sleeper_random(const struct state *state, uint32_t batch, uint32_t k) {
    return rng_at(state->seed, (uint64_t)batch * BATCH_TASKS + k);
}
/* A new batch of sleeping tasks, the last one of which is made first. */
static mem_parcel batch_make(mem_thread *t, const struct state *state, uint32_t batch) {
    mem_scope *s = mem_scope_begin(t);
    struct sleeper *first = NULL;
    for (uint32_t k = BATCH_TASKS; k-- > 0;) {
        rng random = sleeper_random(state, batch, k);
        uint32_t count = payload_words(&random);
        struct sleeper *sleeper = mem_new(t, s, &sleeper_type, count * sizeof(uint64_t));
        sleeper->word_count = count;
        payload_fill(sleeper->words, count, &random);
        mem_set(t, s, sleeper, &sleeper->next, &sleeper_type, first);
        first = sleeper;
    }
    return mem_send(t, s, &sleeper_type, first, 1);
}
/* Reads a batch, whoever made it, and ends it. */
static uint64_t batch_end(mem_thread *t, const struct state *state, uint32_t batch,
                          const mem_parcel *parcel) {
    mem_scope *s;
    struct sleeper *first = mem_receive(t, parcel, &s);
    uint64_t digest = batch;
    uint32_t k = 0;
    for (const struct sleeper *at = first; at; at = mem_get(&at->next), k++)
        digest += payload_digest(at->words, at->word_count, sleeper_random(state, batch, k), k);
    if (k != BATCH_TASKS)
        host_violation("tasks: a batch has lost sleeping tasks");
    mem_drop(t, s, &sleeper_type, first);
    mem_scope_end(t, s);
    return digest;
}
static uint64_t batch_fire(mem_thread *t, const struct state *state, uint32_t number) {
    struct batch *batch = &state->batches[number];
    mem_parcel next = batch_make(t, state, number);
    scenario_lock(t, &batch->lock);
    mem_parcel due = batch->parcel;
    batch->parcel = next;
    batch->fired++;
    pthread_mutex_unlock(&batch->lock);
    return batch_end(t, state, number, &due);
}

#endif
