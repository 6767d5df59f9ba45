/* SPDX-License-Identifier: MIT */
/* compilers.h - which compilers and tools this machine has for the race lab.
 *
 * compilers_find fills the table once, on one thread; afterwards it is only read.
 */
#ifndef TAILRACE_RACE_COMPILERS_H
#define TAILRACE_RACE_COMPILERS_H

#include <limits.h>
#include <stdbool.h>

struct compilers {
    char clang[PATH_MAX]; /* TAILRACE_CLANG, or clang-19 (it starts under any vm.mmap_rnd_bits), or
                             the newest there is; "" for none, as the others */
    char gcc[PATH_MAX];
    char symbolizer[PATH_MAX]; /* llvm-symbolizer of that clang */
    char valgrind[PATH_MAX];
    char rustc[PATH_MAX];
    char tailrace_cc[PATH_MAX]; /* beside this program */
};

const struct compilers *compilers_find(void);

/* Looks a program up in PATH; false, and "", if it is not there. */
bool compilers_look_up(const char *name, char path[PATH_MAX]);

#endif
