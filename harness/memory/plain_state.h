/* SPDX-License-Identifier: MIT */
/* plain_state.h - state memory of a strategy that looks for no roots in it. */
#include <stdlib.h>

static void *mem_state_new(size_t bytes) {
    void *state = calloc(1, bytes);
    if (!state)
        host_out_of_memory(bytes);
    return state;
}
static void mem_state_free(void *state) {
    free(state);
}
