/* SPDX-License-Identifier: MIT */
/* worker.h - the process under test as its parts know it (worker*.c; not for other files). */
#ifndef TAILRACE_RUN_WORKER_H
#define TAILRACE_RUN_WORKER_H

#include "measure/area.h"
#include "memory/workload.h"

#include <pthread.h>
#include <sys/resource.h>

#define REQUEST_BYTES_MAX 1024

/* Where the main thread and every worker meet between phases. Not a pthread_barrier: in one of
 * those ThreadSanitizer holds back the signals that a collector stops threads with. */
struct turn {
    pthread_mutex_t lock;
    pthread_cond_t all_here;
    uint32_t awaited, here;
    uint64_t round;
};

extern struct worker {
    struct area *area;
    const struct scenario *scenario;
    void *state;
    struct turn turn;
    struct load_plan warmup;
    void (*count)(struct heap_count *); /* what counts heap calls; NULL: nobody does */
    uint64_t pause_at, pause_ns;        /* test_pause; at UINT64_MAX: never */
} process;

struct worker_thread {
    pthread_t id;
    uint32_t index;
    mem_thread *memory;
    uint64_t seed;       /* of the phase's stream */
    struct rusage usage; /* when last asked for */
    uint64_t last_ns;    /* the clock when it was last read; 0: not in this phase */
    _Alignas(16) char request[REQUEST_BYTES_MAX];
};

/* This thread's number among the workers; -1: none of them. */
extern _Thread_local int16_t self_worker;

/* Runs one phase on a worker's thread: its share of the plan's requests. */
void worker_run_phase(struct worker_thread *thread, const struct load_plan *plan);

/* Ends the run: this machine or installation lacks something. */
_Noreturn void worker_lacking(const char *sentence);

/* The noise floor's scenario (FLOOR_SCENARIO): no object, only time. */
extern const struct scenario spin_scenario;

#endif
