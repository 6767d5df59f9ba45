/* SPDX-License-Identifier: MIT */
/* case_memory.h - memory from one of our own allocators, for a case that is compiled by MEM_MODE.
 *
 * Before it is included MEM_STRATEGY_ID and MEM_STRATEGY_HEADER name the strategy. It stands for
 * the process that a strategy is compiled into (memory/host.h), so that a case stays one file:
 * nothing is logged or tuned, and the clock stays as it is without base/clock.c.
 */
#ifndef TAILRACE_RACES_CASE_MEMORY_H
#define TAILRACE_RACES_CASE_MEMORY_H

#include "memory/mem.h"

#include <stdio.h>
#include <stdlib.h>

struct clock_tsc clock_tsc;

void host_interval(enum mem_cause cause, uint64_t begin_ns, uint64_t end_ns) {
    (void)cause, (void)begin_ns, (void)end_ns;
}
_Noreturn void host_out_of_memory(size_t bytes) {
    fprintf(stderr, "out of memory: %zu bytes\n", bytes);
    abort();
}
_Noreturn void host_violation(const char *sentence) {
    fprintf(stderr, "%s\n", sentence);
    abort();
}
uint64_t host_tune(const char *key, uint64_t fallback) {
    (void)key;
    return fallback;
}

#endif
