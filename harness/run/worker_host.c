/* SPDX-License-Identifier: MIT */
/* worker_host.c - the worker as a strategy's host (memory/host.h): what it is told goes into the
 * area. */
#include "memory/host.h"
#include "run/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

_Thread_local int16_t self_worker = -1;

/* Asked by LeakSanitizer, in a build that has it, at the process's end. */
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void) {
    return process.area && process.area->config.leaks;
}

void host_interval(enum mem_cause cause, uint64_t begin_ns, uint64_t end_ns) {
    struct area *area = process.area;
    if (self_worker < 0 && cause != MEM_CAUSE_COLLECTOR_PAUSE)
        return; /* a thread beside the workers holds none of them up */
    /* relaxed: read after the process has ended */
    uint32_t i = atomic_fetch_add_explicit(&area->interval_count, 1, memory_order_relaxed);
    if (i < AREA_INTERVALS_MAX)
        area->intervals[i] =
            (struct area_interval){.begin_ns = begin_ns,
                                   .end_ns = end_ns,
                                   .cause = (uint16_t)cause,
                                   .worker = cause == MEM_CAUSE_COLLECTOR_PAUSE ? -1 : self_worker};
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

_Noreturn void host_unsupported(const char *sentence) {
    process.area->status = AREA_UNSUPPORTED;
    snprintf(process.area->reason, AREA_TEXT_BYTES, "%s", sentence);
    _exit(EXIT_FAILURE);
}

_Noreturn void worker_lacking(const char *sentence) {
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
