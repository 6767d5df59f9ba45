/* SPDX-License-Identifier: MIT */
/* tasks_scheduler.h - executes tasks: spawns, steals, joins, cancels, and sleeps for want of them.
 *
 *   an executor     | used by one thread, which alone pushes to its deque and has its futures
 *   a task's scope  | used by who spawns it, then, handed over through a deque, by who executes it
 *   a result's      | used by who executes, then, handed over through the future, by who joins
 *   what waits      | join, until the future is done; helper_sleep, until a deque has a task: both
 *                   | in block
 */
#ifndef TAILRACE_SCENARIOS_TASKS_SCHEDULER_H
#define TAILRACE_SCENARIOS_TASKS_SCHEDULER_H

#include "load/own_thread.h"
#include "load/tasks_objects.h"

#define SPINS_MAX 64 /* in vain, before a thread sleeps */

/* Lets one helper that sleeps look for work. */
static void wake_helper(mem_thread *t, struct state *state) {
    /* seq_cst: pairs with the addition in helper_sleep; one sees the other, or the push before */
    if (atomic_load_explicit(&state->sleeping, memory_order_seq_cst) == 0)
        return;
    scenario_lock(t, &state->idle_lock);
    pthread_cond_signal(&state->idle_go);
    pthread_mutex_unlock(&state->idle_lock);
}

static bool has_work(struct state *state) {
    for (uint32_t k = 0; k < state->executor_count; k++)
        if (deque_has_any(&state->executors[k].deque))
            return true;
    return false;
}

/* seq_cst: see deque_has_any and wake_helper. */
static void helper_sleep(mem_thread *t, struct state *state) {
    mem_block(t);
    pthread_mutex_lock(&state->idle_lock);
    atomic_fetch_add_explicit(&state->sleeping, 1, memory_order_seq_cst);
    while (!atomic_load_explicit(&state->stop, memory_order_relaxed) && !has_work(state))
        pthread_cond_wait(&state->idle_go, &state->idle_lock);
    atomic_fetch_sub_explicit(&state->sleeping, 1, memory_order_relaxed);
    pthread_mutex_unlock(&state->idle_lock);
    mem_unblock(t);
}

static struct task *task_new(mem_thread *t, mem_scope *s, struct future *future, uint64_t seed,
                             uint32_t low, uint32_t high, uint32_t batch) {
    rng random = rng_at(seed, low);
    uint32_t count = payload_words(&random);
    struct task *task = mem_new(t, s, &task_type, count * sizeof(uint64_t));
    task->future = future;
    task->seed = seed;
    task->low = low;
    task->high = high;
    task->batch = batch;
    task->word_count = count;
    payload_fill(task->words, count, &random);
    return task;
}

static struct future *future_new(struct executor *e, bool drawn) {
    if (e->future_count == FUTURES_MAX)
        host_violation("tasks: a stack holds more futures than its limit");
    struct future *future = &e->futures[e->future_count++];
    /* relaxed: the deque that carries the task orders them */
    atomic_store_explicit(&future->state, FUTURE_PENDING, memory_order_relaxed);
    atomic_store_explicit(&future->cancelled, false, memory_order_relaxed);
    future->owner = e;
    future->drawn = drawn;
    future->result = (mem_parcel){0};
    return future;
}

static void spawn(struct executor *e, uint64_t seed, uint32_t low, uint32_t high, uint32_t batch) {
    bool drawn = batch == BATCH_NONE && is_drawn(e->state, seed, low);
    mem_scope *s = mem_scope_begin(e->t);
    struct task *task = task_new(e->t, s, future_new(e, drawn), seed, low, high, batch);
    deque_push(&e->deque, mem_send(e->t, s, &task_type, task, 1));
    wake_helper(e->t, e->state);
}

/* The future is its owner's again as soon as it is done. */
static void complete(struct future *future, mem_parcel result) {
    struct executor *owner = future->owner;
    future->result = result;
    /* release: pairs with the acquire in join */
    if (atomic_exchange_explicit(&future->state, FUTURE_DONE, memory_order_release) ==
        FUTURE_WAITED)
        sem_post(&owner->wake);
}

static bool steal(struct executor *e, mem_parcel *parcel) {
    struct state *state = e->state;
    uint32_t start = (uint32_t)rng_below(&e->victims, state->executor_count);
    for (uint32_t k = 0; k < state->executor_count; k++) {
        struct executor *victim = &state->executors[(start + k) % state->executor_count];
        if (victim != e && deque_steal(&victim->deque, parcel))
            return true;
    }
    return false;
}

static void run(struct executor *e, mem_scope *s, struct task *task);
static void run_parcel(struct executor *e, const mem_parcel *parcel) {
    mem_scope *s;
    struct task *task = mem_receive(e->t, parcel, &s);
    run(e, s, task);
}

static void sleep_until_done(struct executor *e, struct future *future) {
    uint32_t pending = FUTURE_PENDING;
    /* relaxed: join looks again; the semaphore orders its owner's waiting */
    if (!atomic_compare_exchange_strong_explicit(&future->state, &pending, FUTURE_WAITED,
                                                 memory_order_relaxed, memory_order_relaxed))
        return;
    mem_block(e->t);
    wait_for(&e->wake);
    mem_unblock(e->t);
}

/* Helps until the future is done. What is popped is its task, unless that was stolen; what is
 * stolen meanwhile began later than all that this thread waits for, so that no two wait for each
 * other. */
static void join(struct executor *e, struct future *future) {
    mem_parcel parcel;
    /* acquire: pairs with the release in complete */
    for (int spins = 0;
         atomic_load_explicit(&future->state, memory_order_acquire) != FUTURE_DONE;) {
        if (deque_pop(&e->deque, &parcel)) {
            run_parcel(e, &parcel);
        } else if (e->nest < NEST_MAX && steal(e, &parcel)) {
            e->nest++;
            run_parcel(e, &parcel);
            e->nest--;
        } else if (spins++ < SPINS_MAX) {
            mem_safepoint(e->t);
        } else {
            sleep_until_done(e, future);
        }
    }
}

/* Joins a child and appends what it found to the result; to none where nobody wants it. */
static void join_child(struct executor *e, struct future *child, struct result *result) {
    mem_scope *s;
    join(e, child);
    if (!child->result.scope) {
        if (result && !child->drawn)
            host_violation("tasks: a task that was not cancelled has no result");
        return;
    }
    struct result *part = mem_receive(e->t, &child->result, &s);
    child->result = (mem_parcel){0};
    for (uint32_t i = 0; result && !child->drawn && i < part->count; i++)
        result->digests[result->count++] = part->digests[i];
    mem_drop(e->t, s, &result_type, part);
    mem_scope_end(e->t, s);
}

/* Joins what was spawned, newest first, which is in the order of the leaves. */
static mem_parcel join_all(struct executor *e, struct future *future, struct future *children,
                           uint32_t leaves, uint64_t digest) {
    mem_scope *s = mem_scope_begin(e->t);
    struct result *result = mem_new(e->t, s, &result_type, leaves * sizeof(uint64_t));
    result->digests[0] = digest;
    result->count = 1;
    while (&e->futures[e->future_count] != children) {
        struct future *child = &e->futures[e->future_count - 1];
        bool vain = is_cancelled(future);
        if (vain)
            cancel(children, (uint32_t)(child - children) + 1, true);
        join_child(e, child, vain ? NULL : result);
        e->future_count--;
    }
    return mem_send(e->t, s, &result_type, result, 1);
}

static void run_cancelled(struct executor *e, struct future *future, struct future *children) {
    cancel(children, (uint32_t)(&e->futures[e->future_count] - children), true);
    for (; &e->futures[e->future_count] != children; e->future_count--)
        join_child(e, &e->futures[e->future_count - 1], NULL);
    complete(future, (mem_parcel){0});
}

/* Executes a task and ends its scope. */
static void run(struct executor *e, mem_scope *s, struct task *task) {
    struct future *future = task->future, *children = &e->futures[e->future_count];
    uint32_t low = task->low, high = task->high, leaves = high - low, batch = task->batch;
    uint64_t digest = 0;
    for (; high - low > 1 && !is_cancelled(future); batch = BATCH_NONE) {
        uint32_t middle = batch == BATCH_NONE ? low + (high - low) / 2 : high - 1;
        spawn(e, task->seed, middle, high, batch);
        high = middle;
    }
    bool vain = is_cancelled(future);
    if (!vain)
        digest = payload_digest(task->words, task->word_count, rng_at(task->seed, low), low);
    mem_drop(e->t, s, &task_type, task);
    mem_scope_end(e->t, s);
    if (vain) {
        run_cancelled(e, future, children);
        return;
    }
    if (batch != BATCH_NONE)
        digest = hash_pair(digest, batch_fire(e->t, e->state, batch));
    cancel(children, (uint32_t)(&e->futures[e->future_count] - children), false);
    complete(future, join_all(e, future, children, leaves, digest));
}

#endif
