/* SPDX-License-Identifier: MIT */
/* large_objects.c - objects of 64 KiB to 16 MiB that come and go: storms of page faults.
 *
 * After mimalloc-bench's malloc-large (Leijen, Stolyarov: at each step one of 20 large buffers is
 * made anew), with sizes as queries allocate them (Durner, Leis, Neumann: On the Impact of Memory
 * Allocation on High-Performance Query Processing, 2019): hash tables and sort runs, from some
 * pages to many MiB. They are Pareto-distributed up to `largest`: half as many in each octave as in
 * the one below, so all octaves have as many bytes, and the mean is about 360 KiB. A request makes
 * an object, touches it (`touch`: a word of each page, or all of it), puts it in the place of one
 * of the `live` objects, whose pages it looks through (each must be as it was made, often by
 * another thread), and gives that one back. The new object is there before the old one goes.
 *
 * Stresses the way from the heap to the kernel: thresholds for mmap, what is kept of freed pages
 * and how they come back. Read the tail as page faults and unmapping, and the resident set beside
 * the live bytes as what was bought by keeping pages; with touch=all, copying bytes hides part of
 * the difference.
 */
#include "load/held_buffers.h"

#include <stdio.h>

#define PAGES_MIN 16 /* 64 KiB */

struct state {
    struct held held;
    uint64_t pages_max;
};
struct request {
    uint64_t place, pages, seed;
};

/* Density proportional to size^-2, by the inverse of its distribution. */
static uint64_t draw_pages(const struct state *state, rng *random) {
    double cut = 1 - (double)PAGES_MIN / (double)state->pages_max;
    return (uint64_t)(PAGES_MIN / (1 - rng_unit(random) * cut));
}

static uint64_t large_objects_execute(mem_thread *t, void *prepared, uint64_t i, const void *in) {
    struct state *state = prepared;
    const struct request *request = in;
    mem_unblock(t);
    uint64_t hash = held_replace(t, &state->held, request->place, request->seed, request->pages);
    mem_block(t);
    return hash_pair(i, hash);
}

static void large_objects_prepare(const void *prepared, uint64_t seed, uint64_t i, void *into) {
    const struct state *state = prepared;
    struct request *request = into;
    rng random = rng_at(seed, i);
    request->place = rng_below(&random, state->held.count);
    request->pages = draw_pages(state, &random);
    request->seed = rng_u64(&random);
}

static void *large_objects_setup(mem_thread *t, const struct scenario_setup *in) {
    const SCENARIO_PARAMS *p = in->params;
    if (in->live > HELD_PLACES_MAX) {
        snprintf(in->error, in->error_bytes, "large-objects: live must be at most %d objects",
                 HELD_PLACES_MAX);
        return NULL;
    }
    struct state *state = mem_state_new(sizeof *state);
    state->pages_max = p->largest * HELD_PAGES_A_MIB;
    held_begin(&state->held, in->live, p->touch == 1);
    for (uint64_t place = 0; place < in->live; place++) {
        rng random = rng_at(in->seed, place ^ 0x1a49e);
        uint64_t pages = draw_pages(state, &random);
        held_replace(t, &state->held, place, rng_u64(&random), pages);
    }
    return state;
}

/* No value that requests change outlives them. */
static void large_objects_reset(mem_thread *t, void *state) {
    (void)t, (void)state;
}

static uint64_t large_objects_live_bytes(const void *prepared) {
    const struct state *state = prepared;
    return held_bytes(&state->held);
}

static uint64_t large_objects_finish(mem_thread *t, void *prepared) {
    struct state *state = prepared;
    held_end(t, &state->held);
    mem_state_free(state);
    return 0;
}

const struct scenario scenario_large_objects = {.name = "large-objects",
                                                .request_bytes = sizeof(struct request),
                                                .setup = large_objects_setup,
                                                .prepare = large_objects_prepare,
                                                .execute = large_objects_execute,
                                                .reset = large_objects_reset,
                                                .live_bytes = large_objects_live_bytes,
                                                .finish = large_objects_finish,
                                                SCENARIO_MEMORY};
