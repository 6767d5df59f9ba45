/* SPDX-License-Identifier: MIT */
/* progress.h - how the progress of runs is shown on standard error. */
#ifndef TAILRACE_CLI_PROGRESS_H
#define TAILRACE_CLI_PROGRESS_H

#include "run/bench.h"

/* A bar on a terminal, else a line for each run. */
bench_tell progress_teller(void);

#endif
