/* SPDX-License-Identifier: MIT */
/* host_stub.h - host.h for tests of a strategy without a worker around it: dies with the sentence,
 * takes tunables from the environment. */
#ifndef TAILRACE_TESTS_HOST_STUB_H
#define TAILRACE_TESTS_HOST_STUB_H

#include "memory/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void host_interval(enum mem_cause cause, uint64_t begin_ns, uint64_t end_ns) {
    (void)cause;
    if (end_ns < begin_ns)
        abort();
}
_Noreturn void host_out_of_memory(size_t bytes) {
    fprintf(stderr, "out of memory: %zu bytes\n", bytes);
    abort();
}
_Noreturn void host_violation(const char *sentence) {
    fprintf(stderr, "%s\n", sentence);
    abort();
}
_Noreturn void host_unsupported(const char *sentence) {
    host_violation(sentence);
}
uint64_t host_tune(const char *key, uint64_t fallback) {
    const char *value = getenv(key);
    return value ? strtoull(value, NULL, 10) : fallback;
}

#endif
