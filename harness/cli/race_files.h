/* SPDX-License-Identifier: MIT */
/* race_files.h - what a gate reads besides the program, and where it puts its result. */
#ifndef TAILRACE_CLI_RACE_FILES_H
#define TAILRACE_CLI_RACE_FILES_H

#include "race/gate.h"

/* Each may be NULL. */
struct race_files {
    const char *out, *json, *baseline, *suppressions;
};

/* Marks what is known and suppressed, prints the result for people (unless JSON goes to standard
 * output), and writes the files; in GitHub's CI also annotations and the step's summary. */
bool race_files_write(const struct race_files *files, const struct gate_options *options,
                      struct race_result *result, struct error *error);

#endif
