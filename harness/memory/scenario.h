/* SPDX-License-Identifier: MIT */
/* scenario.h - what a scenario includes: the lifetime interface, its own shape, locks, random
 * numbers. */
#ifndef TAILRACE_MEMORY_SCENARIO_H
#define TAILRACE_MEMORY_SCENARIO_H

#include "base/rng.h"
#include "memory/needs.h"

/* What this scenario declares that it needs, for strategies that check it (audit). */
enum scenario_declares {
#define SCENARIO(id, name, kind, needs, live, unit, smoke_live, smoke_requests, source, params,    \
                 what)                                                                             \
    scenario_declares_##id = (needs),
#include "load/list.def"
#undef SCENARIO
};
/* The parameters of each, in the order of scenario_setup.params. */
#define PARAM(id, low, standard, high, unit, what) uint64_t id;
#define SCENARIO(id, name, kind, needs, live, unit, smoke_live, smoke_requests, source, params,    \
                 what)                                                                             \
    struct scenario_params_##id {                                                                  \
        params                                                                                     \
    };
#include "load/list.def"
#undef SCENARIO
#undef PARAM
/* What a scenario uses only where the strategy provides it; it defines that before it includes
 * this.
 */
#if !defined(SCENARIO_OPTIONAL)
#define SCENARIO_OPTIONAL 0
#endif
#if defined(SCENARIO_ID)
#define SCENARIO_NEEDS                                                                             \
    ((unsigned)MEM_PASTE(scenario_declares_, SCENARIO_ID) | (unsigned)(SCENARIO_OPTIONAL))
#define SCENARIO_PARAMS struct MEM_PASTE(scenario_params_, SCENARIO_ID)
#endif

#include "memory/mem.h"
#include "memory/workload.h"

#include <pthread.h>

/* The strategy's part of the initializer. */
#define SCENARIO_MEMORY                                                                            \
    .mem_init = mem_init, .mem_fini = mem_fini, .mem_attach = mem_attach,                          \
    .mem_detach = mem_detach, .mem_block = mem_block, .mem_unblock = mem_unblock

/* Takes a lock that other workers hold while they touch objects: in block while it waits. */
static inline void scenario_lock(mem_thread *t, pthread_mutex_t *lock) {
    if (pthread_mutex_trylock(lock) == 0)
        return;
    mem_block(t);
    pthread_mutex_lock(lock);
    mem_unblock(t);
}

#endif
