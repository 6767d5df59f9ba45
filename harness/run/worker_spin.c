/* SPDX-License-Identifier: MIT */
/* worker_spin.c - the noise floor's scenario (run/floor.h): no object, only time. */
#include "base/clock.h"
#include "run/worker.h"

static uint64_t spin_ns;
static void *spin_setup(mem_thread *t, const struct scenario_setup *in) {
    (void)t;
    spin_ns = in->live;
    return &spin_ns;
}
static void spin_prepare(const void *state, uint64_t seed, uint64_t i, void *request) {
    (void)state, (void)seed, (void)i, (void)request;
}
static uint64_t spin_execute(mem_thread *t, void *state, uint64_t i, const void *request) {
    uint64_t end_ns = clock_now_ns() + spin_ns;
    (void)t, (void)state, (void)request;
    while (clock_now_ns() < end_ns)
        ;
    return hash_pair(i, 0);
}
static void spin_reset(mem_thread *t, void *state) {
    (void)t, (void)state;
}
static uint64_t spin_finish(mem_thread *t, void *state) {
    (void)t, (void)state;
    return 0;
}
static void spin_process(void) {}
static mem_thread *spin_attach(void) {
    return NULL;
}
static void spin_thread(mem_thread *t) {
    (void)t;
}
const struct scenario spin_scenario = {.name = FLOOR_SCENARIO,
                                       .setup = spin_setup,
                                       .prepare = spin_prepare,
                                       .execute = spin_execute,
                                       .reset = spin_reset,
                                       .finish = spin_finish,
                                       .mem_init = spin_process,
                                       .mem_fini = spin_process,
                                       .mem_attach = spin_attach,
                                       .mem_detach = spin_thread,
                                       .mem_block = spin_thread,
                                       .mem_unblock = spin_thread};
