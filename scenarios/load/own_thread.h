/* SPDX-License-Identifier: MIT */
/* own_thread.h - threads of a scenario's own, beside the workers. */
#ifndef TAILRACE_LOAD_OWN_THREAD_H
#define TAILRACE_LOAD_OWN_THREAD_H

#include "memory/scenario.h"

#include <semaphore.h>

#define OWN_STACK_BYTES ((size_t)256 << 10) /* stacks count against budgets */

/* Running out of threads ends the run as running out of memory does. */
static inline pthread_t own_thread(void *(*main)(void *), void *argument) {
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, OWN_STACK_BYTES);
    if (pthread_create(&thread, &attributes, main, argument) != 0)
        host_out_of_memory(OWN_STACK_BYTES);
    pthread_attr_destroy(&attributes);
    return thread;
}

/* Waits for it to end; t is not in block. */
static inline void own_thread_join(mem_thread *t, pthread_t thread) {
    mem_block(t);
    pthread_join(thread, NULL);
    mem_unblock(t);
}

/* In block, or on a thread that has not attached. */
static inline void wait_for(sem_t *event) {
    while (sem_wait(event) != 0) /* interrupted by a collector's signal */
        ;
}

/* Waits, in block, for the condition of the lock that t holds: those who wait for the lock are in
 * block, too. */
static inline void wait_on(mem_thread *t, pthread_mutex_t *lock, pthread_cond_t *condition) {
    mem_block(t);
    pthread_cond_wait(condition, lock);
    pthread_mutex_unlock(lock);
    mem_unblock(t);
    scenario_lock(t, lock);
}

#endif
