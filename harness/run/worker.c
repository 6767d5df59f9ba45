/* SPDX-License-Identifier: MIT */
/* worker.c - the process under test: one scenario on one strategy, told what to do by a shared
 * area.
 *
 * Started by supervise.c as `tailrace-<strategy> FD`, FD being the area (measure/area.h). Order:
 * check the heap, start the workers (before the budget's limit, so that their stacks are not
 * charged), set up, warm up, reset, record, give everything back, let the parent see what stays
 * resident, end.
 */
#include "base/clock.h"
#include "measure/area.h"
#include "memory/host.h"
#include "memory/workload.h"
#include "run/heap_served.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define REQUEST_BYTES_MAX 1024
#define STACK_BYTES ((size_t)1 << 20)
#define START_DELAY_NS (5 * NS_PER_MS)
#define DRAIN_NS (100 * NS_PER_MS)

#define SCENARIO(id, name, needs, live, what) extern const struct scenario scenario_##id;
#include "load/list.def"
#undef SCENARIO
static const struct scenario *const scenarios[] = {
#define SCENARIO(id, name, needs, live, what) &scenario_##id,
#include "load/list.def"
#undef SCENARIO
};

/* Where the main thread and every worker meet between phases. Not a pthread_barrier: in one of
 * those ThreadSanitizer holds back the signals that a collector stops threads with. */
struct turn {
    pthread_mutex_t lock;
    pthread_cond_t all_here;
    uint32_t awaited, here;
    uint64_t round;
};

static struct worker {
    struct area *area;
    const struct scenario *scenario;
    void *state;
    struct turn turn;
    struct load_plan warmup;
} process = {.turn = {.lock = PTHREAD_MUTEX_INITIALIZER, .all_here = PTHREAD_COND_INITIALIZER}};

struct worker_thread {
    pthread_t id;
    uint32_t index;
    mem_thread *memory;
    uint64_t seed; /* of the phase's stream */
    _Alignas(16) char request[REQUEST_BYTES_MAX];
};

void host_interval(enum mem_cause cause, uint64_t begin_ns, uint64_t end_ns) {
    struct area *area = process.area;
    (void)cause; /* there is one so far */
    /* relaxed: read after the process has ended */
    uint32_t i = atomic_fetch_add_explicit(&area->pause_count, 1, memory_order_relaxed);
    if (i < AREA_PAUSES_MAX)
        area->pauses[i] = (struct area_pause){.begin_ns = begin_ns, .end_ns = end_ns};
}

_Noreturn void host_out_of_memory(size_t bytes) {
    process.area->status = AREA_OOM;
    snprintf(process.area->reason, AREA_TEXT_BYTES, "out of memory: %zu bytes could not be had",
             bytes);
    _exit(EXIT_FAILURE);
}

_Noreturn void host_violation(const char *sentence) {
    process.area->status = AREA_VIOLATION;
    snprintf(process.area->reason, AREA_TEXT_BYTES, "%s", sentence);
    abort();
}

static _Noreturn void lacking(const char *sentence) {
    process.area->status = AREA_LACKING;
    snprintf(process.area->reason, AREA_TEXT_BYTES, "%s", sentence);
    _exit(EXIT_FAILURE);
}

uint64_t host_tune(const char *key, uint64_t fallback) {
    size_t length = strlen(key);
    const char *at = process.area->config.tune;
    while (*at) {
        if (strncmp(at, key, length) == 0 && at[length] == '=')
            return strtoull(at + length + 1, NULL, 10);
        at += strcspn(at, " ");
        at += strspn(at, " ");
    }
    return fallback;
}

static void enter_phase(enum area_phase phase) {
    struct area *area = process.area;
    /* release: pairs with the acquire of the parent, who looks at the time only then */
    atomic_store_explicit(&area->phase_ns[phase], clock_now_ns(), memory_order_relaxed);
    atomic_store_explicit(&area->phase, phase, memory_order_release);
}

static void wait_turn(void) {
    struct turn *turn = &process.turn;
    pthread_mutex_lock(&turn->lock);
    uint64_t round = turn->round;
    if (++turn->here == turn->awaited) {
        turn->here = 0;
        turn->round++;
        pthread_cond_broadcast(&turn->all_here);
    }
    while (round == turn->round)
        pthread_cond_wait(&turn->all_here, &turn->lock);
    pthread_mutex_unlock(&turn->lock);
}

static uint64_t real_now(void *context) {
    (void)context;
    return clock_now_ns();
}
/* Spins: a sleep would wake up late by more than what is measured. */
static uint64_t real_wait_until(void *context, uint64_t when_ns) {
    (void)context;
    uint64_t now_ns;
    while ((now_ns = clock_now_ns()) < when_ns)
        ;
    return now_ns;
}

static void target_prepare(void *context, uint64_t i) {
    struct worker_thread *thread = context;
    process.scenario->prepare(process.state, thread->seed, i, thread->request);
}
static uint64_t target_execute(void *context, uint64_t i) {
    struct worker_thread *thread = context;
    return process.scenario->execute(thread->memory, process.state, i, thread->request);
}

static void run_phase(struct worker_thread *thread, const struct load_plan *plan) {
    struct load_target target = {target_prepare, target_execute, thread};
    struct load_clock clock = {real_now, real_wait_until, NULL};
    thread->seed = plan->seed;
    load_run(plan, thread->index, &target, &process.area->records[thread->index], clock);
}

/* From the last processor down: the main thread and the parent are left the first. */
static void pin(uint32_t index) {
    cpu_set_t allowed, one;
    CPU_ZERO(&one);
    process.area->cpus[index] = -1;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return;
    int count = CPU_COUNT(&allowed), skip = count - 1 - (int)index % count;
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, &allowed) || skip-- > 0)
            continue;
        CPU_SET(cpu, &one);
        if (pthread_setaffinity_np(pthread_self(), sizeof one, &one) == 0)
            process.area->cpus[index] = (int32_t)cpu;
        return;
    }
}

/* What warm-up recorded is wiped, which also touches the record before it is needed. */
static void *worker_main(void *argument) {
    struct worker_thread *thread = argument;
    struct load_record *record = &process.area->records[thread->index];
    pin(thread->index);
    wait_turn(); /* set-up */
    wait_turn(); /* warm-up */
    thread->memory = process.scenario->mem_attach();
    process.scenario->mem_block(thread->memory);
    memset(record, 0, sizeof *record);
    run_phase(thread, &process.warmup);
    wait_turn(); /* reset */
    memset(record, 0, sizeof *record);
    wait_turn(); /* recording */
    run_phase(thread, &process.area->config.plan);
    wait_turn(); /* drain */
    wait_turn(); /* end */
    process.scenario->mem_unblock(thread->memory);
    process.scenario->mem_detach(thread->memory);
    return NULL;
}

static uint64_t status_bytes(const char *key) {
    char line[256];
    uint64_t kib = 0;
    FILE *file = fopen("/proc/self/status", "re");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, key, strlen(key)) == 0 && line[strlen(key)] == ':')
            kib = strtoull(line + strlen(key) + 1, NULL, 10);
    if (file)
        fclose(file);
    return kib * 1024;
}

/* The budget is what the program may map, private and writable, beyond what it has now. */
static void limit_memory(uint64_t budget_bytes) {
    if (budget_bytes == 0)
        return;
    struct rlimit limit;
    limit.rlim_cur = limit.rlim_max = status_bytes("VmData") + budget_bytes;
    if (setrlimit(RLIMIT_DATA, &limit) != 0)
        lacking("cannot set RLIMIT_DATA for the budget");
}

static void start_workers(struct worker_thread *threads, uint32_t count) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    process.turn.awaited = count + 1;
    for (uint32_t i = 0; i < count; i++) {
        threads[i].index = i;
        if (pthread_create(&threads[i].id, &attributes, worker_main, &threads[i]) != 0)
            lacking("cannot start the worker threads");
    }
    pthread_attr_destroy(&attributes);
}

static void set_up(mem_thread *memory) {
    struct area *area = process.area;
    struct scenario_setup in = {.seed = area->config.plan.seed,
                                .live = area->config.live,
                                .threads = area->config.plan.workers,
                                .data_dir = area->config.data_dir,
                                .error = area->reason,
                                .error_bytes = sizeof area->reason};
    enter_phase(PHASE_SETUP);
    process.state = process.scenario->setup(memory, &in);
    if (!process.state) {
        area->status = AREA_LACKING;
        _exit(EXIT_FAILURE);
    }
}

static void plan_warmup(void) {
    const struct area_config *config = &process.area->config;
    process.warmup = config->plan;
    process.warmup.seed = hash_pair(config->plan.seed, 0x3a53);
    process.warmup.requests = config->plan.open ? config->warmup_requests : 0;
    process.warmup.start_ns = clock_now_ns() + START_DELAY_NS;
    process.warmup.end_ns = process.warmup.start_ns + config->warmup_ns;
    process.warmup.interval_ns = load_interval_ns(config->warmup_ns);
}

static void plan_recording(void) {
    struct load_plan *plan = &process.area->config.plan;
    plan->start_ns = clock_now_ns() + START_DELAY_NS;
    plan->end_ns = plan->start_ns + process.area->config.duration_ns;
    plan->interval_ns = load_interval_ns(process.area->config.duration_ns);
}

static void run_all(uint32_t count) {
    static struct worker_thread threads[AREA_WORKERS_MAX];
    struct area *area = process.area;
    const struct scenario *scenario = process.scenario;
    start_workers(threads, count);
    area->rss_base_bytes = status_bytes("VmRSS");
    limit_memory(area->config.budget_bytes);
    scenario->mem_init();
    mem_thread *memory = scenario->mem_attach();
    wait_turn();
    set_up(memory);
    enter_phase(PHASE_WARMUP);
    plan_warmup();
    scenario->mem_block(memory);
    wait_turn();
    wait_turn(); /* warmed up */
    scenario->mem_unblock(memory);
    scenario->reset(memory, process.state);
    plan_recording();
    scenario->mem_block(memory);
    enter_phase(PHASE_RECORD);
    wait_turn();
    wait_turn(); /* recorded */
    enter_phase(PHASE_DRAIN);
    scenario->mem_unblock(memory);
    area->checksum = scenario->finish(memory, process.state);
    scenario->mem_block(memory);
    clock_sleep_until_ns(clock_now_ns() + DRAIN_NS);
    area->rss_drained_bytes = status_bytes("VmRSS");
    area->rss_peak_bytes = status_bytes("VmHWM");
    wait_turn();
    for (uint32_t i = 0; i < count; i++)
        pthread_join(threads[i].id, NULL);
    for (uint32_t i = 0; i < count; i++)
        area->checksum += area->records[i].checksum;
    scenario->mem_unblock(memory);
    scenario->mem_detach(memory);
    scenario->mem_fini();
    enter_phase(PHASE_END);
}

static void check_heap(void) {
    struct area *area = process.area;
    char sentence[2 * AREA_PATH_BYTES + 64];
    heap_served(area->heap_path, sizeof area->heap_path, area->heap_version,
                sizeof area->heap_version);
    if (heap_served_is(area->heap_path, area->config.heap_path))
        return;
    snprintf(sentence, sizeof sentence, "the heap did not load: malloc is served by %s",
             area->heap_path);
    lacking(sentence);
}

int main(int argc, char **argv) {
    int fd = argc == 2 ? atoi(argv[1]) : -1;
    struct area *area =
        fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *area, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (area == MAP_FAILED || area->bytes != sizeof *area) {
        fprintf(stderr, "%s: this program is started by `tailrace run`\n", argv[0]);
        return 2;
    }
    process.area = area;
    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++)
        if (strcmp(scenarios[i]->name, area->config.scenario) == 0)
            process.scenario = scenarios[i];
    if (!process.scenario || process.scenario->request_bytes > REQUEST_BYTES_MAX)
        lacking("the worker does not have this scenario");
    check_heap();
    run_all(area->config.plan.workers);
    area->status = AREA_DONE;
    return EXIT_SUCCESS;
}
