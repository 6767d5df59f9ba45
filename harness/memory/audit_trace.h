/* SPDX-License-Identifier: MIT */
/* audit_trace.h - where the audit strategy is told of every plain load and store of a scenario.
 *
 * In the audit preset clang compiles the scenario with callbacks for loads and stores
 * (audit_trace.c) and TAILRACE_AUDIT_TRACE=1; elsewhere nothing calls the hook and the strategy's
 * check is unused. memcpy and memset by library call are not seen.
 */
#ifndef TAILRACE_MEMORY_AUDIT_TRACE_H
#define TAILRACE_MEMORY_AUDIT_TRACE_H

#include <stdbool.h>
#include <stddef.h>

typedef void (*audit_trace_fn)(const void *address, size_t bytes, bool store);

/* Makes fn (NULL: none) see all traced accesses of the process from now on, on the thread that
 * makes them. Called while no other thread is traced. */
#if defined(TAILRACE_AUDIT_TRACE)
void audit_trace_install(audit_trace_fn fn);
#else
static inline void audit_trace_install(audit_trace_fn fn) {
    (void)fn;
}
#endif

#endif
