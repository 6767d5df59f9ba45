/* SPDX-License-Identifier: MIT */
/* busy.h - requests that touch no object and spin for a service time drawn beforehand. */
#ifndef TAILRACE_LOAD_BUSY_H
#define TAILRACE_LOAD_BUSY_H

#include "base/oracle.h"
#include "memory/scenario.h"

#include <stdio.h>

struct busy_state {
    uint64_t mean_ns;
};
struct busy_request {
    uint64_t service_ns, token; /* token: makes the checksum depend on the seed */
};

static void *busy_setup(mem_thread *t, const struct scenario_setup *in) {
    (void)t;
    if (in->live > 1000000) {
        snprintf(in->error, in->error_bytes, "the service time (live) is at most 1000000 us");
        return NULL;
    }
    struct busy_state *state = mem_state_new(sizeof *state);
    state->mean_ns = in->live * 1000;
    return state;
}

/* No object is touched, so the worker stays in block: a collector need not wait for it. */
static uint64_t busy_execute(mem_thread *t, void *state, uint64_t i, const void *prepared) {
    const struct busy_request *request = prepared;
    (void)t, (void)state;
    oracle_spin_until_ns(clock_now_ns() + request->service_ns);
    return hash_pair(i, request->token);
}

static void busy_reset(mem_thread *t, void *state) {
    (void)t, (void)state;
}

static uint64_t busy_finish(mem_thread *t, void *state) {
    (void)t;
    mem_state_free(state);
    return 0;
}

#endif
