/* SPDX-License-Identifier: MIT */
/* worker_load.c - the measured path on the real clock, and what is noticed along it. */
#include "base/clock.h"
#include "memory/host.h"
#include "run/worker.h"

#define GAP_NS 20000   /* between two readings of a spinning worker */
#define FAULT_BURST 16 /* minor faults */

static uint64_t real_now(void *context) {
    struct worker_thread *thread = context;
    return thread->last_ns = clock_now_ns();
}

/* Spins: a sleep would wake up late by more than what is measured. Two readings far apart, the
 * first of them the end of the last request, are time that the processor was not ours. */
static uint64_t real_wait_until(void *context, uint64_t when_ns) {
    struct worker_thread *thread = context;
    uint64_t last_ns = thread->last_ns ? thread->last_ns : clock_now_ns(), now_ns;
    do {
        now_ns = clock_now_ns();
        if (now_ns - last_ns > GAP_NS)
            host_interval(MEM_CAUSE_PREEMPTION, last_ns, now_ns);
        last_ns = now_ns;
    } while (now_ns < when_ns);
    return now_ns;
}

/* Asks the kernel what happened to this thread since it last asked: an involuntary switch or faults
 * are taken for the cause of the slow request, the whole of which is charged to it. */
static void real_slow(void *context, uint64_t start_ns, uint64_t end_ns) {
    struct worker_thread *thread = context;
    struct rusage usage;
    getrusage(RUSAGE_THREAD, &usage);
    if (usage.ru_nivcsw != thread->usage.ru_nivcsw)
        host_interval(MEM_CAUSE_PREEMPTION, start_ns, end_ns);
    else if (usage.ru_majflt != thread->usage.ru_majflt ||
             usage.ru_minflt - thread->usage.ru_minflt >= FAULT_BURST)
        host_interval(MEM_CAUSE_FAULTS, start_ns, end_ns);
    thread->usage = usage;
}

static void target_prepare(void *context, uint64_t i) {
    struct worker_thread *thread = context;
    process.scenario->prepare(process.state, thread->seed, i, thread->request);
}
/* The test hook: request TAILRACE_TEST_PAUSE_AT is held up for TAILRACE_TEST_PAUSE_MS, which is
 * logged as a strategy's pause is, so that what is told of causes can be held against what was
 * done. */
static __attribute__((noinline)) void test_pause(void) {
    uint64_t begin_ns = clock_now_ns(), end_ns = begin_ns + process.pause_ns;
    while (clock_now_ns() < end_ns)
        ;
    host_interval(MEM_CAUSE_COLLECTOR_PAUSE, begin_ns, clock_now_ns());
}

static uint64_t target_execute(void *context, uint64_t i) {
    struct worker_thread *thread = context;
    if (__builtin_expect(i == process.pause_at, 0))
        test_pause();
    return process.scenario->execute(thread->memory, process.state, i, thread->request);
}

void worker_run_phase(struct worker_thread *thread, const struct load_plan *plan) {
    struct load_target target = {target_prepare, target_execute, thread};
    struct load_clock clock = {real_now, real_wait_until, real_slow, thread};
    thread->seed = plan->seed;
    thread->last_ns = 0;
    getrusage(RUSAGE_THREAD, &thread->usage);
    load_run(plan, thread->index, &target, &process.area->records[thread->index], clock);
}
