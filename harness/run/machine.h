/* SPDX-License-Identifier: MIT */
/* machine.h - what there is to know about this machine before anything is measured on it. */
#ifndef TAILRACE_RUN_MACHINE_H
#define TAILRACE_RUN_MACHINE_H

#include <jansson.h>

/* A new JSON object; what the kernel does not tell is null. Keys:
 * clock: source, quantum_ns, cost_ns, clocksource, constant_tsc, nonstop_tsc, tsc_safe (all three
 *   say so); processors: online, allowed, cores (null: unknown), quota (processors that the cgroup
 *   may use at once, null: no limit), governor, virtual; memory: total_bytes, thp, aslr,
 *   mmap_rnd_bits; cgroup: version ("v1", "v2", "hybrid", "none"), memory_max (the file can be
 *   written by a budget), memory_limit_bytes; compilers: array of command, version, tsan_bits_max
 *   (null: any, it starts itself again without randomisation), tsan_starts (null: unknown). */
json_t *machine_json(void);

#endif
