/* SPDX-License-Identifier: MIT */
/* worker.c - the process under test: one scenario on one strategy, told what to do by a shared
 * area.
 *
 * Started by supervise.c as `tailrace-<strategy> FD`, FD being the area (measure/area.h). Order:
 * check the heap, start the workers (before the budget's limit, so that their stacks are not
 * charged), set up, warm up, reset, record, give everything back, let the parent see what stays
 * resident, end.
 */
#include "run/worker.h"
#include "base/clock.h"
#include "measure/noise.h"
#include "run/heap_served.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define STACK_BYTES ((size_t)1 << 20)
#define START_DELAY_NS (5 * NS_PER_MS)

#define SCENARIO(id, name, kind, needs, live, unit, smoke_live, smoke_requests, source, params,    \
                 what)                                                                             \
    extern const struct scenario scenario_##id __attribute__((weak));
#include "load/list.def"
#undef SCENARIO
/* NULL where the strategy does not provide what it needs: it is left out of this worker then. */
static const struct scenario *const scenarios[] = {
#define SCENARIO(id, name, kind, needs, live, unit, smoke_live, smoke_requests, source, params,    \
                 what)                                                                             \
    &scenario_##id,
#include "load/list.def"
#undef SCENARIO
};

struct worker process = {
    .turn = {.lock = PTHREAD_MUTEX_INITIALIZER, .all_here = PTHREAD_COND_INITIALIZER}};

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

/* Wipes what was recorded and touches what will be, by warm-up too, so that recording meets no
 * first-touch faults and the program's resident memory is not charged with it. */
static void clear_record(struct load_record *record, const struct area_config *config) {
    uint64_t most = config->plan.requests > config->warmup_requests ? config->plan.requests
                                                                    : config->warmup_requests;
    uint64_t traced = most / config->plan.workers + 1;
    memset(record, 0, LOAD_RECORD_CLEARED);
    if (traced > LOAD_TRACE_MAX || !config->plan.open) /* a closed warm-up has as many as it can */
        traced = LOAD_TRACE_MAX;
    memset(record->trace, 0, traced * sizeof *record->trace);
}

static struct area_noise noise_since(const struct area_noise *before) {
    struct area_noise now = noise_of_thread();
    now.run_delay_ns -= before->run_delay_ns;
    now.voluntary_switches -= before->voluntary_switches;
    now.involuntary_switches -= before->involuntary_switches;
    now.faults_minor -= before->faults_minor;
    now.faults_major -= before->faults_major;
    return now;
}

static void *worker_main(void *argument) {
    struct worker_thread *thread = argument;
    struct area *area = process.area;
    struct load_record *record = &area->records[thread->index];
    self_worker = (int16_t)thread->index;
    pin(thread->index);
    clear_record(record, &area->config);
    wait_turn(); /* set-up */
    wait_turn(); /* warm-up */
    thread->memory = process.scenario->mem_attach();
    process.scenario->mem_block(thread->memory);
    worker_run_phase(thread, &process.warmup);
    wait_turn(); /* reset */
    clear_record(record, &area->config);
    wait_turn(); /* recording */
    struct area_noise before = noise_of_thread();
    worker_run_phase(thread, &area->config.plan);
    area->noise[thread->index] = noise_since(&before);
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
        worker_lacking("cannot set RLIMIT_DATA for the budget");
}

static void start_workers(struct worker_thread *threads, uint32_t count) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    process.turn.awaited = count + 1;
    for (uint32_t i = 0; i < count; i++) {
        threads[i].index = i;
        if (pthread_create(&threads[i].id, &attributes, worker_main, &threads[i]) != 0)
            worker_lacking("cannot start the worker threads");
    }
    pthread_attr_destroy(&attributes);
}

static void set_up(mem_thread *memory) {
    struct area *area = process.area;
    struct scenario_setup in = {.seed = area->config.plan.seed,
                                .live = area->config.live,
                                .threads = area->config.plan.workers,
                                .params = area->config.params,
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
    process.warmup.slice_ns = load_slice_ns(config->warmup_ns);
}

static void plan_recording(void) {
    struct load_plan *plan = &process.area->config.plan;
    plan->start_ns = clock_now_ns() + START_DELAY_NS;
    plan->end_ns = plan->start_ns + process.area->config.duration_ns;
    plan->interval_ns = load_interval_ns(process.area->config.duration_ns);
    plan->slice_ns = load_slice_ns(process.area->config.duration_ns);
}

/* Of the whole process: until the workers have recorded, none of its threads allocates but the
 * program under test. */
static void read_count(struct heap_count *count) {
    *count = (struct heap_count){0};
    if (process.count)
        process.count(count);
}

/* Lets the workers record, and listens to the machine meanwhile: by a hiccup thread where a
 * processor is left for it. */
static void watch_recording(uint32_t count) {
    struct area *area = process.area;
    struct hiccups hiccups;
    struct heap_count before;
    double steal_s = noise_steal_s(), pressure_s = noise_pressure_s();
    bool spare = count < (uint32_t)sysconf(_SC_NPROCESSORS_ONLN);
    area->hiccups_taken = spare && hiccups_start(&hiccups, &area->hiccups);
    read_count(&before);
    wait_turn();
    wait_turn(); /* recorded */
    read_count(&area->allocations);
    area->allocations.calls -= before.calls;
    area->allocations.bytes -= before.bytes;
    area->allocations.frees -= before.frees;
    if (area->hiccups_taken)
        hiccups_stop(&hiccups);
    area->steal_s = steal_s < 0 ? -1 : noise_steal_s() - steal_s;
    area->pressure_s = pressure_s < 0 ? -1 : noise_pressure_s() - pressure_s;
}

static void watch_drain(uint64_t begin_ns) {
    struct area *area = process.area;
    for (int i = 0; i < AREA_DRAINS; i++) {
        uint64_t after_ns = (uint64_t)(area_drains_s[i] * 1e9);
        if (after_ns > area->config.drain_ns)
            return;
        clock_sleep_until_ns(begin_ns + after_ns);
        area->drained_bytes[i] = status_bytes("VmRSS") - status_bytes("RssShmem");
    }
}

static void run_all(uint32_t count) {
    static struct worker_thread threads[AREA_WORKERS_MAX];
    struct area *area = process.area;
    const struct scenario *scenario = process.scenario;
    start_workers(threads, count);
    wait_turn(); /* records are touched */
    area->rss_shared_bytes = status_bytes("RssShmem");
    area->rss_base_bytes = status_bytes("VmRSS") - area->rss_shared_bytes;
    limit_memory(area->config.budget_bytes);
    scenario->mem_init();
    mem_thread *memory = scenario->mem_attach();
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
    watch_recording(count);
    enter_phase(PHASE_DRAIN);
    scenario->mem_unblock(memory);
    area->live_bytes = scenario->live_bytes ? scenario->live_bytes(process.state) : 0;
    area->checksum = scenario->finish(memory, process.state);
    scenario->mem_block(memory);
    watch_drain(clock_now_ns());
    area->rss_peak_bytes = status_bytes("VmHWM") - status_bytes("RssShmem");
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
    worker_lacking(sentence);
}

static void find_count(void) {
    void *found = dlsym(RTLD_DEFAULT, "tailrace_count_read");
    if (process.area->config.count && !found)
        worker_lacking("heap calls cannot be counted: libtailrace-count.so, which is built with "
                       "the program, could not be preloaded");
    memcpy(&process.count, &found, sizeof found);
}

static void start_clock(void) {
    struct area *area = process.area;
    char why[AREA_TEXT_BYTES];
    if (area->config.tsc && !clock_use_tsc(why, sizeof why))
        worker_lacking(why);
    struct clock_quality quality = clock_measure();
    area->clock_quantum_ns = quality.quantum_ns;
    area->clock_cost_ns = quality.cost_ns;
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
    process.scenario = strcmp(area->config.scenario, FLOOR_SCENARIO) == 0 ? &spin_scenario : NULL;
    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++)
        if (scenarios[i] && strcmp(scenarios[i]->name, area->config.scenario) == 0)
            process.scenario = scenarios[i];
    if (!process.scenario)
        worker_lacking("the worker does not have this scenario");
    if (process.scenario->request_bytes > REQUEST_BYTES_MAX)
        worker_lacking("the scenario's request is larger than REQUEST_BYTES_MAX (run/worker.h)");
    const char *at = getenv("TAILRACE_TEST_PAUSE_AT"), *ms = getenv("TAILRACE_TEST_PAUSE_MS");
    process.pause_at = at && ms ? strtoull(at, NULL, 10) : UINT64_MAX;
    process.pause_ns = ms ? strtoull(ms, NULL, 10) * NS_PER_MS : 0;
    check_heap();
    find_count();
    start_clock();
    run_all(area->config.plan.workers);
    area->clock_drift = clock_tsc_drift();
    area->status = AREA_DONE;
    return EXIT_SUCCESS;
}
