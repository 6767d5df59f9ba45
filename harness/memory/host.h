/* SPDX-License-Identifier: MIT */
/* host.h - what a strategy may ask of the process that it is compiled into.
 *
 * The worker (run/worker.c) defines these; the contract tests define their own. All may be called
 * from any thread; host_interval also while a collector has stopped the world: it takes no lock and
 * allocates nothing.
 */
#ifndef TAILRACE_MEMORY_HOST_H
#define TAILRACE_MEMORY_HOST_H

#include "base/cause.h"

#include <stddef.h>
#include <stdint.h>

/* Logs that a cause of latency lasted from begin to end (clock.h). */
void host_interval(enum mem_cause cause, uint64_t begin_ns, uint64_t end_ns);

/* Ends the run with status oom: bytes could not be had. */
_Noreturn void host_out_of_memory(size_t bytes);

/* Ends the run with SIGABRT: the program broke the contract of mem.h in the way the sentence says.
 */
_Noreturn void host_violation(const char *sentence);

/* Ends the run with status unsupported: the strategy cannot do what this cell wants, and why. */
_Noreturn void host_unsupported(const char *sentence);

/* The value of a tunable given by --tune, else the fallback. */
uint64_t host_tune(const char *key, uint64_t fallback);

#endif
