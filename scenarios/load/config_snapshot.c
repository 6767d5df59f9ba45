/* SPDX-License-Identifier: MIT */
/* config_snapshot.c - read-mostly shared state: many readers of a configuration, a few updates that
 * replace it whole (config.h). */
#include "load/config.h"

#define UPDATE_PER_MILLE 15

static void *config_snapshot_setup(mem_thread *t, const struct scenario_setup *in) {
    struct configs *configs = mem_state_new(sizeof *configs);
    return configs_setup(t, configs, UPDATE_PER_MILLE, in) ? configs : NULL;
}

static uint64_t config_snapshot_finish(mem_thread *t, void *state) {
    uint64_t sum = configs_finish(t, state);
    mem_state_free(state);
    return sum;
}

const struct scenario scenario_config_snapshot = {.name = "config-snapshot",
                                                  .request_bytes = sizeof(struct config_request),
                                                  .setup = config_snapshot_setup,
                                                  .prepare = configs_prepare,
                                                  .execute = configs_execute,
                                                  .reset = configs_reset,
                                                  .live_bytes = configs_live_bytes,
                                                  .finish = config_snapshot_finish,
                                                  SCENARIO_MEMORY};
