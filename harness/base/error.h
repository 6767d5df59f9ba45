/* SPDX-License-Identifier: MIT */
/* error.h - a set-up error on its way up: one sentence and the exit status that it leads to. */
#ifndef TAILRACE_BASE_ERROR_H
#define TAILRACE_BASE_ERROR_H

#include <stdbool.h>

/* Exit statuses of every command (README, "Exit status"). */
enum { EXIT_FINDING = 1, EXIT_INPUT = 2, EXIT_LACKING = 3, EXIT_INTERRUPTED = 130 };

struct error {
    int status; /* 0: none */
    char sentence[1024];
};

/* Fills error and returns false, so that `return error_set(...)` passes it on. */
bool error_set(struct error *error, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
