/* SPDX-License-Identifier: MIT */
/* bare_no_start.h - a library that needs no start, and looks for no pointers in memory. */
#include <stdlib.h>

static void subject_start(void) {}
static void *subject_attach(void) {
    return NULL;
}
static void *subject_state(size_t bytes) {
    void *state = calloc(1, bytes);
    if (!state)
        meter_fail("out of memory");
    return state;
}
