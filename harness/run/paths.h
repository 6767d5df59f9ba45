/* SPDX-License-Identifier: MIT */
/* paths.h - where the parts of tailrace lie: workers beside the program, the rest in its sources.
 */
#ifndef TAILRACE_RUN_PATHS_H
#define TAILRACE_RUN_PATHS_H

#include <stddef.h>

/* The worker executable of a strategy. */
void path_worker(const char *strategy, char *path, size_t path_bytes);
/* The library that counts heap calls (measure/heap_count.h). */
void path_count(char *path, size_t path_bytes);
/* Input files of scenarios; suites; the Python package of the report; the top of the sources. */
const char *path_data(void);
const char *path_suites(void);
/* Seeded bugs of the race lab. */
const char *path_cases(void);
const char *path_reports(void);
/* The folder that the program itself lies in. */
const char *path_build(void);

#endif
