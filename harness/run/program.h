/* SPDX-License-Identifier: MIT */
/* program.h - runs any program under a heap by preload, once, and tells what it took. */
#ifndef TAILRACE_RUN_PROGRAM_H
#define TAILRACE_RUN_PROGRAM_H

#include "run/supervise.h"

#include <limits.h>
#include <sys/types.h>

#define PROGRAM_HEAPS_MAX 16

struct program_heap {
    char name[AREA_PATH_BYTES];    /* a known name, or the path of a library */
    char library[AREA_PATH_BYTES]; /* what is preloaded; empty for glibc */
    char served[PATH_MAX];         /* the file that malloc comes from, once asked for */
    char version[128];
    char lacking[1024]; /* why it cannot be compared; empty if it can */
};

struct program {
    char *const *argv;
    char path[PATH_MAX];     /* the file that is run */
    char name[NAME_MAX + 1]; /* its last part, as it can be shown */
    const char *preload;     /* what LD_PRELOAD holds already, or "" */
    const char *hlog;        /* the file that it writes in each run, or NULL */
    double timeout_s;
    uint64_t seed, heap_calls; /* calls: in one run; 0: not counted */
    uint32_t blocks, warmup, heap_count;
    struct program_heap heaps[PROGRAM_HEAPS_MAX];
};

struct program_run {
    enum run_status status; /* ok, crashed, timeout, unsupported */
    char reason[1024];      /* a sentence, empty where status is ok */
    pid_t pid;
    double wall_s;               /* from before fork until it has ended */
    struct rusage usage;         /* of the process and of those children that it waited for */
    double started_at, ended_at; /* wall clock, seconds since 1970 */
    double load_average;
};

/* Finds argv[0] as a shell does; fills argv, path, name and preload. False with a sentence. */
bool program_find(struct program *program, char *const *argv, struct error *error);

/* Runs it, blocking until it has ended; what is left of its process group then, which it leads, is
 * killed. Standard input and output are /dev/null. `after` is a library preloaded behind the heap's
 * ("" for none), `setting` ("NAME=value" or NULL) goes into the environment. Whatever becomes of it
 * is a result: true. False with a sentence where nothing can be started, or with EXIT_INTERRUPTED
 * after supervise_interrupt. */
bool program_run(const struct program *program, const struct program_heap *heap, const char *after,
                 const char *setting, struct program_run *run, struct error *error);

#endif
