/* SPDX-License-Identifier: MIT */
/* workload.h - what a workload is to the harness: a request that can be prepared and executed.
 *
 * One process runs one scenario on one strategy. Order: setup, then per phase (warm-up, recording)
 * prepare and execute for each request, reset between the phases, finish. setup, reset and finish
 * are called by the main thread while no worker runs; prepare and execute by the workers, all at
 * once. A worker is in mem_block but inside execute, which unblocks first and blocks last.
 *
 * Checksum: execute returns a hash over its request's number and immutable bytes read back from
 * objects; finish returns the sum over keys of hash(key, final value). Their sum must depend on
 * seed and number of requests only: not on strategy, heap, threads, or the order of requests.
 */
#ifndef TAILRACE_MEMORY_WORKLOAD_H
#define TAILRACE_MEMORY_WORKLOAD_H

#include <stddef.h>
#include <stdint.h>

typedef struct mem_thread mem_thread;

struct scenario_setup {
    uint64_t seed;
    uint64_t live;        /* size of the live set, in the scenario's own units; > 0 */
    uint32_t threads;     /* workers */
    const void *params;   /* a SCENARIO_PARAMS, checked */
    const char *data_dir; /* folder of input files */
    char *error;          /* for the sentence of a failed setup */
    size_t error_bytes;
};

/* Sizes in bytes. Calls that take t are made on t's thread, running (not in block) unless said. */
struct scenario {
    const char *name;
    size_t request_bytes; /* of what prepare fills; the harness gives each worker one */

    /* Builds the state, in *state; NULL in it and a sentence in in->error where that fails. */
    void *(*setup)(mem_thread *t, const struct scenario_setup *in);
    /* Draws request i of the stream that the seed names. Touches no objects. */
    void (*prepare)(const void *state, uint64_t seed, uint64_t i, void *request);
    /* Serves it, on a thread in block, and returns its part of the checksum. */
    uint64_t (*execute)(mem_thread *t, void *state, uint64_t i, const void *request);
    /* Forgets what warm-up did to final values. */
    void (*reset)(mem_thread *t, void *state);
    /* Bytes of the objects that it holds between requests, as it asked for them; touches none.
     * NULL: it does not count. */
    uint64_t (*live_bytes)(const void *state);
    /* Returns the final values' part of the checksum and gives everything back. */
    uint64_t (*finish)(mem_thread *t, void *state);

    /* The strategy that the scenario is compiled for. */
    void (*mem_init)(void);
    void (*mem_fini)(void);
    mem_thread *(*mem_attach)(void);
    void (*mem_detach)(mem_thread *t);
    void (*mem_block)(mem_thread *t);
    void (*mem_unblock)(mem_thread *t);
};

#endif
