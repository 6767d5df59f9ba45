/* SPDX-License-Identifier: MIT */
/* spawn.h - runs a program to its end, or ends it and whatever it left behind, and tells how.
 *
 * Any thread may call, each with its own request. Before the first call: spawn_begin.
 */
#ifndef TAILRACE_RUN_SPAWN_H
#define TAILRACE_RUN_SPAWN_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

#define SPAWN_SAID_BYTES 65536
#define SPAWN_SETTINGS_MAX 12

enum spawn_end {
    SPAWN_EXITED,
    SPAWN_SIGNALED,
    SPAWN_HUNG,  /* ended after its time, all of it asleep */
    SPAWN_SPUN,  /* ended after five times its time, still computing */
    SPAWN_FLOOD, /* ended as it wrote more than SPAWN_LOG_BYTES_MAX under log_prefix */
    SPAWN_INTERRUPTED,
    SPAWN_FAILED /* could not be started: see spawn_result.said */
};
#define SPAWN_LOG_BYTES_MAX ((size_t)32 << 20)

struct spawn_request {
    char *const *argv;                        /* argv[0] is looked up in PATH */
    const char *settings[SPAWN_SETTINGS_MAX]; /* "NAME=value", put over the environment; ends in
                                                 NULL where not full */
    const char *log_prefix; /* files PREFIX* are watched for their size; or NULL */
    double timeout_s;
    bool fixed_addresses; /* without address space randomisation, so that runs repeat */
    bool keep_output;     /* standard output and error are kept in `said`, else errors only */
};

struct spawn_result {
    enum spawn_end end;
    int status; /* exit status or signal */
    double wall_s, cpu_s;
    uint32_t left_behind; /* processes that outlived the program, and were ended */
    size_t said_length;
    char said[SPAWN_SAID_BYTES]; /* the first part, ended by 0 */
};

/* Makes this process the parent of what programs leave behind. Call once, on the main thread. */
void spawn_begin(void);

/* Blocks until the program and all its descendants have ended. Standard input is empty. */
void spawn_run(const struct spawn_request *request, struct spawn_result *result);

/* From a signal handler: whatever is running is ended, as is whatever is started later. */
void spawn_interrupt(void);
bool spawn_interrupted(void);

#endif
