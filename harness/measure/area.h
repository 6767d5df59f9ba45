/* SPDX-License-Identifier: MIT */
/* area.h - the memory that a worker process shares with the process that runs it.
 *
 * An anonymous file (memfd) that both map: configuration goes in before the worker starts, records
 * come out as they are made, so nothing measured is lost when the worker dies, and nothing of it is
 * served by the heap under test. The parent reads records only once the worker has ended; `phase`
 * and `phase_ns` it may read at any time.
 */
#ifndef TAILRACE_MEASURE_AREA_H
#define TAILRACE_MEASURE_AREA_H

#include "measure/heap_count.h"
#include "measure/load.h"

#include <stdatomic.h>

#define AREA_WORKERS_MAX 64
#define AREA_INTERVALS_MAX 131072
#define AREA_TEXT_BYTES 256
#define AREA_PATH_BYTES 1024

/* A scenario of the worker's own that does nothing but spin; its live set is the spin's length in
 * ns. */
#define FLOOR_SCENARIO "spin"

enum area_phase {
    PHASE_START,
    PHASE_SETUP,
    PHASE_WARMUP,
    PHASE_RECORD,
    PHASE_DRAIN,
    PHASE_END,
    PHASE_COUNT
};

/* What the worker says of itself; a worker that dies leaves AREA_RUNNING. */
enum area_status {
    AREA_RUNNING,
    AREA_DONE,
    AREA_OOM,
    AREA_VIOLATION,
    AREA_LACKING,
    AREA_UNSUPPORTED
};

/* When the resident set is looked at after the drain. */
#define AREA_DRAINS 3
static const double area_drains_s[AREA_DRAINS] = {0.1, 1, 5};

struct area_config {
    char scenario[AREA_TEXT_BYTES];
    uint64_t params[8];              /* of the scenario, in the order of its list */
    char tune[AREA_TEXT_BYTES];      /* "key=value key=value", checked */
    char heap_path[AREA_PATH_BYTES]; /* what malloc must come from; empty: the C library */
    char data_dir[AREA_PATH_BYTES];
    bool tsc;                    /* the clock: TSC, else CLOCK_MONOTONIC */
    bool leaks;                  /* by design: LeakSanitizer is not to report it */
    bool count;                  /* heap calls, by the library that is preloaded for it */
    uint64_t live, budget_bytes; /* budget 0: none */
    uint64_t warmup_ns, duration_ns, drain_ns;
    uint64_t warmup_requests; /* open loop */
    struct load_plan plan;    /* of the recording; the worker fills in the times */
};

/* One stretch of time that a cause (base/cause.h) lasted. */
struct area_interval {
    uint64_t begin_ns, end_ns;
    uint16_t cause;
    int16_t worker; /* which it held up; -1: all */
};

/* What else went on while one worker recorded. */
struct area_noise {
    uint64_t run_delay_ns; /* ready to run but not running */
    uint64_t voluntary_switches, involuntary_switches, faults_minor, faults_major;
};

struct area {
    uint64_t bytes; /* sizeof(struct area): both sides are of one build */
    struct area_config config;
    _Atomic uint32_t phase;
    _Atomic uint64_t phase_ns[PHASE_COUNT]; /* when each began, 0 if not reached */
    enum area_status status;
    char reason[AREA_TEXT_BYTES];
    char heap_path[AREA_PATH_BYTES], heap_version[AREA_TEXT_BYTES];
    uint64_t checksum;
    uint64_t clock_quantum_ns;
    double clock_cost_ns, clock_drift; /* drift: a fraction; 0 for CLOCK_MONOTONIC */
    uint64_t rss_base_bytes, rss_peak_bytes;
    uint64_t drained_bytes[AREA_DRAINS]; /* resident, so long after everything was given back */
    struct heap_count allocations;       /* while recording; with config.count */
    uint64_t
        live_bytes; /* what the scenario itself holds at the end of the recording, as requested */
    int32_t cpus[AREA_WORKERS_MAX]; /* each worker's, -1 if it could not be pinned */
    struct area_noise noise[AREA_WORKERS_MAX];
    double steal_s, pressure_s; /* of the whole machine while recording; negative if unknown */
    bool hiccups_taken;         /* by a thread that sleeps 1 ms at a time, on a free processor */
    struct histogram hiccups;   /* how much too late it woke */
    uint64_t rss_shared_bytes;  /* of this area, resident: no part of the program under test */
    _Atomic uint32_t interval_count; /* also those beyond the log */
    struct area_interval intervals[AREA_INTERVALS_MAX];
    struct load_record records[AREA_WORKERS_MAX];
};

#endif
