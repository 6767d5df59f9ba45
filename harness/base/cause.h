/* SPDX-License-Identifier: MIT */
/* cause.h - the causes of latency that are told apart. */
#ifndef TAILRACE_BASE_CAUSE_H
#define TAILRACE_BASE_CAUSE_H

/* What makes requests late. A collector's pause stops every worker, any other cause the thread
 * alone that logs it. */
enum mem_cause {
    MEM_CAUSE_COLLECTOR_PAUSE,
    MEM_CAUSE_ASSIST,     /* work or waiting for a collector that the program outruns */
    MEM_CAUSE_CASCADE,    /* one drop that freed more than MEM_CASCADE_OBJECTS objects */
    MEM_CAUSE_CYCLES,     /* a search for dropped rings among MEM_CASCADE_OBJECTS objects or more */
    MEM_CAUSE_BATCH_FREE, /* retired objects, more than MEM_CASCADE_OBJECTS, freed at once */
    MEM_CAUSE_ARENA_RESET, /* a scope's end that gave back more than MEM_RESET_CHUNKS chunks, or
                            * what its strategy's header names where a library hides its chunks */
    MEM_CAUSE_FAULTS,      /* a slow request with a major fault or a burst of minor ones */
    MEM_CAUSE_PREEMPTION,  /* a gap while waiting, or a slow request with an involuntary switch */
    MEM_CAUSE_STALL,       /* made on purpose: the stall scenario, the test hook */
    MEM_CAUSE_COUNT
};
#define MEM_CASCADE_OBJECTS 64
#define MEM_RESET_CHUNKS 8
#define MEM_RESET_BYTES (512u << 10)

#endif
