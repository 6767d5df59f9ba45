/* SPDX-License-Identifier: MIT */
/* strategy_boehm_incremental.h - libgc in its generational mode, incremental with a time limit.
 *
 * Pages of pointerful objects (state memory among them) are write-protected, and the first write to
 * one after a collection faults and marks it dirty: a partial collection scans those, and every
 * 20th is full (GC_set_full_freq). Without a limit, the library's default where it marks in
 * parallel, each is one stop. With one, marking goes on in steps as objects are allocated, by their
 * thread alone; a stop that exceeds the limit is given up and tried again, at most so often.
 * System calls get EFAULT where they write to protected memory: I/O buffers belong in objects
 * without edges. The safepoints of strategy_boehm.h do not carry over to ThreadSanitizer: the work
 * is done within allocation, so such a build does not run it (MEM_SIGNALS).
 */
#include "memory/boehm_common.h"

static void mem_init(void) {
    boehm_init();
    GC_set_time_limit((unsigned long)host_tune("limit_ms", GC_TIME_UNLIMITED));
    GC_enable_incremental();
    if (!GC_is_incremental_mode())
        host_violation("libgc refused its incremental mode (is GC_DISABLE_INCREMENTAL set?)");
}
