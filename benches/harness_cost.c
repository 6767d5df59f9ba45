/* SPDX-License-Identifier: MIT */
/* harness_cost.c - what measuring costs: the measured path with nothing to measure against the two
 * clock readings it contains, and how recording scales from one worker to two.
 *
 * Run: build/bench-harness-cost        (a few seconds; prints medians of interleaved rounds)
 */
#include "base/clock.h"
#include "measure/load.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ROUNDS 31
#define REQUESTS 200000ull
#define WORKERS_MAX 2

static void no_prepare(void *context, uint64_t i) {
    (void)context, (void)i;
}
static uint64_t no_execute(void *context, uint64_t i) {
    (void)context;
    return i;
}
static uint64_t read_clock(void *context) {
    (void)context;
    return clock_now_ns();
}
/* Every request is late, so that this is one reading and no wait. */
static uint64_t wait_not(void *context, uint64_t when_ns) {
    (void)context, (void)when_ns;
    return clock_now_ns();
}
static void no_slow(void *context, uint64_t start_ns, uint64_t end_ns) {
    (void)context, (void)start_ns, (void)end_ns;
}

struct thread {
    pthread_t id;
    int cpu;
    struct load_record *record;
    pthread_barrier_t *go;
    double ns_per_request;
};

static void pin(int cpu) {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET((size_t)cpu, &one);
    sched_setaffinity(0, sizeof one, &one);
}

static double time_path(struct load_record *record) {
    struct load_target target = {no_prepare, no_execute, NULL};
    struct load_clock clock = {read_clock, wait_not, no_slow, NULL};
    struct load_plan plan = {.open = true,
                             .rate = 1e9,
                             .requests = REQUESTS,
                             .interval_ns = NS_PER_S,
                             .slice_ns = NS_PER_S,
                             .workers = 1};
    memset(record, 0, LOAD_RECORD_CLEARED);
    uint64_t begin_ns = plan.start_ns = clock_now_ns();
    load_run(&plan, 0, &target, record, clock);
    return (double)(record->end_ns - begin_ns) / (double)REQUESTS;
}

static double time_clock(void) {
    uint64_t begin_ns = clock_now_ns(), last_ns = begin_ns;
    for (uint64_t i = 0; i < REQUESTS; i++) {
        last_ns = read_clock(NULL);
        last_ns = read_clock(&last_ns);
    }
    return (double)(last_ns - begin_ns) / (double)REQUESTS;
}

static void *thread_main(void *argument) {
    struct thread *thread = argument;
    pin(thread->cpu);
    pthread_barrier_wait(thread->go);
    thread->ns_per_request = time_path(thread->record);
    return NULL;
}

/* Requests per ns of all workers together. */
static double time_workers(struct load_record **records, int workers) {
    struct thread threads[WORKERS_MAX];
    pthread_barrier_t go;
    double throughput = 0;
    pthread_barrier_init(&go, NULL, (unsigned)workers);
    for (int i = 0; i < workers; i++) {
        threads[i] = (struct thread){.cpu = i, .record = records[i], .go = &go};
        if (pthread_create(&threads[i].id, NULL, thread_main, &threads[i]) != 0)
            abort();
    }
    for (int i = 0; i < workers; i++) {
        pthread_join(threads[i].id, NULL);
        throughput += 1 / threads[i].ns_per_request;
    }
    pthread_barrier_destroy(&go);
    return throughput;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}
static double median(double *values) {
    qsort(values, ROUNDS, sizeof *values, by_value);
    return values[ROUNDS / 2];
}

int main(void) {
    struct load_record *records[WORKERS_MAX];
    double path[ROUNDS], clock[ROUNDS], ratio[ROUNDS], one[ROUNDS], two[ROUNDS], scaling[ROUNDS];
    for (int i = 0; i < WORKERS_MAX; i++) {
        records[i] = mmap(NULL, sizeof **records, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
        if (records[i] == MAP_FAILED)
            abort();
    }
    for (int round = 0; round < ROUNDS; round++) {
        path[round] = time_path(records[0]);
        clock[round] = time_clock();
        ratio[round] = path[round] / clock[round];
    }
    printf("measured path %.1f ns, its two clock readings %.1f ns, ratio %.3f\n", median(path),
           median(clock), median(ratio));
    if (sysconf(_SC_NPROCESSORS_ONLN) < 2) {
        printf("scaling needs two processors\n");
        return 0;
    }
    for (int round = 0; round < ROUNDS; round++) {
        one[round] = time_workers(records, 1);
        two[round] = time_workers(records, 2);
        scaling[round] = two[round] / one[round];
    }
    printf("1 worker %.1f M/s, 2 workers %.1f M/s, ratio %.3f\n", median(one) * 1e3,
           median(two) * 1e3, median(scaling));
    return 0;
}
