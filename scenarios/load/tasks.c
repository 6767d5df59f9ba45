/* SPDX-License-Identifier: MIT */
/* tasks.c - a work-stealing scheduler with futures and cooperative cancellation.
 *
 * After Cilk's scheduler (Blumofe, Leiserson: Scheduling Multithreaded Computations by Work
 * Stealing, 1999), the deques of Chase and Lev (Dynamic Circular Work-Stealing Deque, 2005) and
 * the async runtimes built on both, such as Tokio. A request is a fork-join job: a
 * range of 8 to 256 leaves is halved until one is left, and each upper half is spawned as a task
 * of its own. A task, with 64 B to 1 KiB of arguments, has its own scope, which whoever executes it
 * frees; its result, in a scope too, comes back through a future to who joins it. Who waits for a
 * future executes its own tasks, then such as it steals from others, and sleeps if there are none.
 * Threads of the scenario's own (helpers) steal too, so that one worker's memory crosses threads as
 * well; they sleep while there is nothing to steal. Some tasks are cancelled once spawned: they
 * look whether they are before each thing they do, and end early with all they have spawned.
 * Whether they ran matters to nobody, so that results do not depend on timing. One task of each
 * job wakes a batch of sleeping tasks (what waits for a timer or the network) and puts another
 * batch in its place: these make up the live set, and grow old.
 *
 * Stresses allocation on one thread and freeing on another, at the rate of the work itself, with
 * objects that live for microseconds beside sleeping ones that live for seconds. Read the median as
 * what spawning costs a job and the high percentiles with `--threads` and `helpers`: what grows
 * with them is memory that goes home to its heap or its owner's count, or a collector that waits
 * for all of them.
 */
#include "load/tasks_scheduler.h"

#include <stdio.h>

static void *helper(void *argument) {
    struct executor *e = argument;
    struct state *state = e->state;
    mem_parcel parcel;
    e->t = mem_attach();
    /* relaxed: what was done before is known by the join */
    for (int spins = 0; !atomic_load_explicit(&state->stop, memory_order_relaxed);) {
        if (steal(e, &parcel)) {
            run_parcel(e, &parcel);
            spins = 0;
        } else if (spins++ < SPINS_MAX) {
            mem_safepoint(e->t);
        } else {
            helper_sleep(e->t, state);
            spins = 0;
        }
    }
    mem_detach(e->t);
    return NULL;
}

static struct executor *claim(mem_thread *t, struct state *state) {
    uint32_t k = (uint32_t)(hash_u64((uintptr_t)t) % state->worker_count);
    /* acquire: pairs with the release in tasks_execute; there are as many as workers */
    while (atomic_exchange_explicit(&state->executors[k].claimed, true, memory_order_acquire))
        k = (k + 1) % state->worker_count;
    state->executors[k].t = t;
    return &state->executors[k];
}

/* The job's first task is executed here; when it is done, so are all. */
static uint64_t run_job(struct executor *e, const struct request *request) {
    mem_scope *s = mem_scope_begin(e->t);
    struct future *future = future_new(e, false);
    run(e, s, task_new(e->t, s, future, request->seed, 0, request->leaves + 1, request->batch));
    struct result *result = mem_receive(e->t, &future->result, &s);
    future->result = (mem_parcel){0};
    e->future_count--;
    if (result->count != request->counted)
        host_violation("tasks: a job's result lacks leaves, or has some that were cancelled");
    uint64_t hash = hash_bytes(result->count, result->digests, result->count * sizeof(uint64_t));
    mem_drop(e->t, s, &result_type, result);
    mem_scope_end(e->t, s);
    return hash;
}

static uint64_t tasks_execute(mem_thread *t, void *state, uint64_t i, const void *request) {
    mem_unblock(t);
    struct executor *e = claim(t, state);
    uint64_t hash = run_job(e, request);
    /* release: pairs with the acquire in claim */
    atomic_store_explicit(&e->claimed, false, memory_order_release);
    mem_block(t);
    return hash_pair(i, hash);
}

/* The leaves of a range that are not cancelled: split as run does. */
static uint32_t count_leaves(const struct state *state, uint64_t seed, uint32_t low,
                             uint32_t high) {
    uint32_t count = 1;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (!is_drawn(state, seed, middle))
            count += count_leaves(state, seed, middle, high);
        high = middle;
    }
    return count;
}

static void tasks_prepare(const void *prepared, uint64_t seed, uint64_t i, void *into) {
    const struct state *state = prepared;
    struct request *request = into;
    rng random = rng_at(seed, i);
    request->seed = rng_u64(&random);
    request->leaves = (uint32_t)LEAVES_MIN << rng_below(&random, LEAVES_OCTAVES);
    request->batch = (uint32_t)rng_below(&random, state->batch_count);
    request->counted = count_leaves(state, request->seed, 0, request->leaves) + 1;
}

static void make_batches(mem_thread *t, struct state *state) {
    state->batches = mem_state_new(state->batch_count * sizeof *state->batches);
    for (uint32_t b = 0; b < state->batch_count; b++) {
        pthread_mutex_init(&state->batches[b].lock, NULL);
        state->batches[b].parcel = batch_make(t, state, b);
        for (uint32_t k = 0; k < BATCH_TASKS; k++) {
            rng random = sleeper_random(state, b, k);
            state->live_bytes += sizeof(struct sleeper) + payload_words(&random) * sizeof(uint64_t);
        }
        mem_safepoint(t);
    }
}

static void start_executors(struct state *state, uint64_t seed) {
    state->executors = mem_state_new(state->executor_count * sizeof *state->executors);
    for (uint32_t k = 0; k < state->executor_count; k++) {
        struct executor *e = &state->executors[k];
        e->state = state;
        e->victims = rng_at(seed, k);
        sem_init(&e->wake, 0, 0);
    }
    for (uint32_t k = state->worker_count; k < state->executor_count; k++)
        state->executors[k].thread = own_thread(helper, &state->executors[k]);
}

static void *tasks_setup(mem_thread *t, const struct scenario_setup *in) {
    const SCENARIO_PARAMS *params = in->params;
    if (in->live > LIVE_MAX) {
        snprintf(in->error, in->error_bytes, "tasks: live must be at most %llu sleeping tasks",
                 (unsigned long long)LIVE_MAX);
        return NULL;
    }
    struct state *state = mem_state_new(sizeof *state);
    state->seed = in->seed;
    state->batch_count = (in->live + BATCH_TASKS - 1) / BATCH_TASKS;
    state->cancel_per_mille = params->cancelled;
    state->worker_count = in->threads;
    state->executor_count = in->threads + (uint32_t)params->helpers;
    pthread_mutex_init(&state->idle_lock, NULL);
    pthread_cond_init(&state->idle_go, NULL);
    make_batches(t, state);
    start_executors(state, in->seed);
    return state;
}

static void tasks_reset(mem_thread *t, void *prepared) {
    struct state *state = prepared;
    (void)t;
    for (uint32_t b = 0; b < state->batch_count; b++)
        state->batches[b].fired = 0;
}

static uint64_t tasks_live_bytes(const void *prepared) {
    const struct state *state = prepared;
    return state->live_bytes;
}

static void end_executors(mem_thread *t, struct state *state) {
    mem_block(t);
    pthread_mutex_lock(&state->idle_lock);
    atomic_store_explicit(&state->stop, true, memory_order_relaxed);
    pthread_cond_broadcast(&state->idle_go);
    pthread_mutex_unlock(&state->idle_lock);
    for (uint32_t k = state->worker_count; k < state->executor_count; k++)
        pthread_join(state->executors[k].thread, NULL);
    mem_unblock(t);
    for (uint32_t k = 0; k < state->executor_count; k++) {
        if (state->executors[k].future_count > 0 || deque_has_any(&state->executors[k].deque))
            host_violation("tasks: a task or a future was left behind");
        sem_destroy(&state->executors[k].wake);
    }
    mem_state_free(state->executors);
}

static uint64_t tasks_finish(mem_thread *t, void *prepared) {
    struct state *state = prepared;
    uint64_t sum = 0;
    end_executors(t, state);
    for (uint32_t b = 0; b < state->batch_count; b++) {
        struct batch *batch = &state->batches[b];
        sum += hash_pair(b, hash_pair(batch->fired, batch_end(t, state, b, &batch->parcel)));
        pthread_mutex_destroy(&batch->lock);
    }
    mem_state_free(state->batches);
    pthread_cond_destroy(&state->idle_go);
    pthread_mutex_destroy(&state->idle_lock);
    mem_state_free(state);
    return sum;
}

const struct scenario scenario_tasks = {.name = "tasks",
                                        .request_bytes = sizeof(struct request),
                                        .setup = tasks_setup,
                                        .prepare = tasks_prepare,
                                        .execute = tasks_execute,
                                        .reset = tasks_reset,
                                        .live_bytes = tasks_live_bytes,
                                        .finish = tasks_finish,
                                        SCENARIO_MEMORY};
