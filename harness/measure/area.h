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

#include "measure/load.h"

#include <stdatomic.h>

#define AREA_WORKERS_MAX 64
#define AREA_PAUSES_MAX 65536
#define AREA_TEXT_BYTES 256
#define AREA_PATH_BYTES 1024

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
enum area_status { AREA_RUNNING, AREA_DONE, AREA_OOM, AREA_VIOLATION, AREA_LACKING };

struct area_config {
    char scenario[AREA_TEXT_BYTES];
    char tune[AREA_TEXT_BYTES];      /* "key=value key=value", checked */
    char heap_path[AREA_PATH_BYTES]; /* what malloc must come from; empty: the C library */
    char data_dir[AREA_PATH_BYTES];
    uint64_t live, budget_bytes; /* budget 0: none */
    uint64_t warmup_ns, duration_ns;
    uint64_t warmup_requests; /* open loop */
    struct load_plan plan;    /* of the recording; the worker fills in the times */
};

struct area_pause {
    uint64_t begin_ns, end_ns;
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
    uint64_t rss_base_bytes, rss_peak_bytes, rss_drained_bytes;
    int32_t cpus[AREA_WORKERS_MAX]; /* each worker's, -1 if it could not be pinned */
    _Atomic uint32_t pause_count;   /* also those beyond the log */
    struct area_pause pauses[AREA_PAUSES_MAX];
    struct load_record records[AREA_WORKERS_MAX];
};

#endif
