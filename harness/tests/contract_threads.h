/* SPDX-License-Identifier: MIT */
/* contract_threads.h - what contract tests with several threads share.
 *
 * It lies in state memory. Threads other than the main one count what is wrong, the main one
 * asserts.
 */
#ifndef TAILRACE_TESTS_CONTRACT_THREADS_H
#define TAILRACE_TESTS_CONTRACT_THREADS_H

#include "tests/contract.h"

#define PARCELS 300

struct shared {
    pthread_mutex_t lock;
    pthread_cond_t more;
    void (*work)(mem_thread *t, struct shared *shared);
    mem_scope *scope;
    mem_ref object;
    uint64_t expected;
    uint32_t sent; /* under lock */
    mem_parcel parcels[PARCELS];
    _Atomic bool dropped;
    _Atomic uint32_t wrong, done; /* relaxed: read after join, or only to end a loop */
};

static void count(_Atomic uint32_t *counter, bool by) {
    atomic_fetch_add_explicit(counter, by, memory_order_relaxed);
}

static struct shared *shared_new(void (*work)(mem_thread *t, struct shared *shared)) {
    struct shared *shared = mem_state_new(sizeof *shared);
    pthread_mutex_init(&shared->lock, NULL);
    pthread_cond_init(&shared->more, NULL);
    shared->work = work;
    return shared;
}
static void shared_free(struct shared *shared) {
    assert_int_equal(atomic_load_explicit(&shared->wrong, memory_order_relaxed), 0);
    pthread_cond_destroy(&shared->more);
    pthread_mutex_destroy(&shared->lock);
    mem_state_free(shared);
}

static void *thread_main(void *argument) {
    struct shared *shared = argument;
    mem_thread *t = mem_attach();
    shared->work(t, shared);
    mem_detach(t);
    count(&shared->done, true);
    return NULL;
}
static void start(pthread_t *ids, uint32_t threads, struct shared *shared) {
    for (uint32_t i = 0; i < threads; i++)
        assert_int_equal(pthread_create(&ids[i], NULL, thread_main, shared), 0);
}
static void join(const pthread_t *ids, uint32_t threads) {
    mem_block(self);
    for (uint32_t i = 0; i < threads; i++)
        pthread_join(ids[i], NULL);
    mem_unblock(self);
}

static void wait_until_sent(mem_thread *t, struct shared *shared, uint32_t least) {
    mem_block(t);
    pthread_mutex_lock(&shared->lock);
    while (shared->sent < least)
        pthread_cond_wait(&shared->more, &shared->lock);
    pthread_mutex_unlock(&shared->lock);
    mem_unblock(t);
}
static void tell_sent(mem_thread *t, struct shared *shared, uint32_t sent) {
    scenario_lock(t, &shared->lock);
    shared->sent = sent;
    pthread_cond_broadcast(&shared->more);
    pthread_mutex_unlock(&shared->lock);
}

#endif
