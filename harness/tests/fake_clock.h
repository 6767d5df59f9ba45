/* SPDX-License-Identifier: MIT */
/* fake_clock.h - a load_clock for tests, whose context begins with a uint64_t: what time it is.
 * Only serving a request, which the test does, and waiting for one move it. */
#ifndef TAILRACE_TESTS_FAKE_CLOCK_H
#define TAILRACE_TESTS_FAKE_CLOCK_H

#include "measure/load.h"

static uint64_t fake_now(void *context) {
    return *(const uint64_t *)context;
}
static uint64_t fake_wait_until(void *context, uint64_t when_ns) {
    uint64_t *now_ns = context;
    if (*now_ns < when_ns)
        *now_ns = when_ns;
    return *now_ns;
}
static void fake_prepare(void *context, uint64_t i) {
    (void)context, (void)i;
}
static void fake_slow(void *context, uint64_t start_ns, uint64_t end_ns) {
    (void)context, (void)start_ns, (void)end_ns;
}

#endif
