/* SPDX-License-Identifier: MIT */
/* program_check.h - before a program is compared under heaps: does each of them serve its malloc?
 */
#ifndef TAILRACE_RUN_PROGRAM_CHECK_H
#define TAILRACE_RUN_PROGRAM_CHECK_H

#include "run/bench.h"
#include "run/program.h"

/* Runs the program `warmup` times (at least once) under each heap, the first time with a probe that
 * tells whom malloc comes from in each of its processes: fills served, version and lacking of the
 * heaps. Under glibc once more, with its heap calls counted. Blocks; tells each run. False with a
 * sentence: exit status 2 where it fails under every heap, writes no log although it should, or
 * fewer than two heaps serve it; EXIT_LACKING or EXIT_INTERRUPTED as program_run. */
bool program_check(struct program *program, bench_tell tell, struct error *error);

/* For the log that the program writes, if it is to write one: takes away what is there; and after a
 * run, whether a log is there (one histogram in the compressed V2 encoding at least). */
void program_clear_log(const struct program *program);
bool program_has_log(const struct program *program);

#endif
