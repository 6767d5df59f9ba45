/* SPDX-License-Identifier: MIT */
/* stall.c - requests that do next to nothing, and one stall of all workers: an oracle.
 *
 * The stall begins 1 s after the reset that precedes the recording and ends at the same absolute
 * time on every worker. A stall of length S in a run of length T gives the response time's quantile
 * Q(p) = S - (1 - p) T for p > 1 - S/T. Each worker logs its stall as it was. A run that is shorter
 * has none.
 *
 * Stresses no memory at all but the harness: whether a stall counts for all requests that it keeps
 * waiting (coordinated omission). Read the response time's quantiles against the formula, and the
 * service time's beside them, which barely shows the stall.
 */
#include "base/oracle.h"
#include "memory/scenario.h"

#include <stdio.h>

struct state {
    uint64_t length_ns, begin_ns, end_ns;
};
struct request {
    uint64_t token;
};

static void *stall_setup(mem_thread *t, const struct scenario_setup *in) {
    (void)t;
    if (in->live > 60000) {
        snprintf(in->error, in->error_bytes, "stall: its length (live) is at most 60000 ms");
        return NULL;
    }
    struct state *state = mem_state_new(sizeof *state);
    *state = (struct state){.length_ns = in->live * NS_PER_MS, .begin_ns = UINT64_MAX};
    return state;
}

static void stall_prepare(const void *state, uint64_t seed, uint64_t i, void *request) {
    (void)state;
    ((struct request *)request)->token = hash_pair(seed, i);
}

/* No object is touched, so the worker stays in block: a collector need not wait for it. */
static uint64_t stall_execute(mem_thread *t, void *prepared, uint64_t i, const void *request) {
    const struct state *state = prepared;
    uint64_t now_ns = clock_now_ns();
    (void)t;
    if (now_ns >= state->begin_ns && now_ns < state->end_ns)
        host_interval(MEM_CAUSE_STALL, now_ns, oracle_spin_until_ns(state->end_ns));
    return hash_pair(i, ((const struct request *)request)->token);
}

/* The time is fixed once warm-up is over, so that no stall falls into that. */
static void stall_reset(mem_thread *t, void *prepared) {
    struct state *state = prepared;
    (void)t;
    state->begin_ns = clock_now_ns() + ORACLE_STALL_AFTER_NS;
    state->end_ns = state->begin_ns + state->length_ns;
}

static uint64_t stall_finish(mem_thread *t, void *state) {
    (void)t;
    mem_state_free(state);
    return 0;
}

const struct scenario scenario_stall = {.name = "stall",
                                        .request_bytes = sizeof(struct request),
                                        .setup = stall_setup,
                                        .prepare = stall_prepare,
                                        .execute = stall_execute,
                                        .reset = stall_reset,
                                        .finish = stall_finish,
                                        SCENARIO_MEMORY};
