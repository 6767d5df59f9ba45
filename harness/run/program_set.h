/* SPDX-License-Identifier: MIT */
/* program_set.h - measures a program under heaps, in random blocks, into a result set. */
#ifndef TAILRACE_RUN_PROGRAM_SET_H
#define TAILRACE_RUN_PROGRAM_SET_H

#include "run/bench.h"
#include "run/program.h"

/* Runs the program (checked: program_check) once in each block under each heap, in an order that
 * comes from seed and block, into `folder`, which must exist and hold no result set. `whole` gets
 * the number of blocks that are complete. False with a sentence: exit status 2 (cannot write), 3,
 * or EXIT_INTERRUPTED; the result set is valid in every case. */
bool program_measure(const struct program *program, const char *folder, const char *command,
                     bench_tell tell, uint32_t *whole, struct error *error);

#endif
