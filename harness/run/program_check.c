/* SPDX-License-Identifier: MIT */
/* program_check.c - before a program is compared under heaps: does each of them serve its malloc?
 */
#include "run/program_check.h"

#include "run/files.h"
#include "run/heap_served.h"
#include "run/paths.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_BYTES (PATH_MAX + 256)
#define PAYLOAD_BEGIN ",HISTF" /* base64 of the compressed V2 cookie, behind a field */

/* What is to be told of one run, in its file; and where that file is. */
struct ask {
    char library[PATH_MAX + 32], file[PATH_MAX + 16], setting[PATH_MAX + 64];
};

struct check {
    struct program *program;
    char folder[PATH_MAX];
    bench_tell tell;
    struct bench_progress progress;
    uint32_t failed; /* heaps */
    char failure[1024];
};

void program_clear_log(const struct program *program) {
    if (program->hlog)
        unlink(program->hlog);
}

bool program_has_log(const struct program *program) {
    char *line = NULL;
    size_t bytes = 0;
    bool found = false;
    FILE *file = fopen(program->hlog, "re");
    while (file && !found && getline(&line, &bytes, file) > 0)
        found = strstr(line, PAYLOAD_BEGIN);
    free(line);
    if (file)
        fclose(file);
    return found;
}

/* A library of ours to preload, and an empty file that it is to write to. */
static bool prepare(const struct check *check, const char *name, const char *variable,
                    size_t file_bytes, struct ask *ask, struct error *error) {
    snprintf(ask->library, sizeof ask->library, "%.*s/%s", PATH_MAX, path_build(), name);
    snprintf(ask->file, sizeof ask->file, "%s/told", check->folder);
    snprintf(ask->setting, sizeof ask->setting, "%s=%s", variable, ask->file);
    if (access(ask->library, R_OK) != 0)
        return error_set(error, EXIT_LACKING, "there is no %s: build it first", ask->library);
    if (strpbrk(ask->library, " :"))
        return error_set(error, EXIT_LACKING,
                         "%s cannot be preloaded: its path has a space or a colon", ask->library);
    FILE *file = fopen(ask->file, "we");
    if (!file || ftruncate(fileno(file), (off_t)file_bytes) != 0)
        error_set(error, EXIT_INPUT, "cannot write %s: %s", ask->file, strerror(errno));
    if (file)
        fclose(file);
    return file && !error->status;
}

/* Reads what the probe told of each process: all of them have to be served by the heap. */
static void read_served(const struct ask *ask, struct program_heap *heap, pid_t pid) {
    char line[LINE_BYTES], path[PATH_MAX];
    bool told = false;
    FILE *file = fopen(ask->file, "re");
    while (file && fgets(line, sizeof line, file)) {
        char *tab = strchr(line, '\t'), *end = tab ? strchr(tab + 1, '\t') : NULL;
        if (!end)
            continue;
        line[strcspn(line, "\n")] = '\0';
        snprintf(path, sizeof path, "%.*s", (int)(end - tab - 1), tab + 1);
        if (!heap_served_is(path, heap->library) && !*heap->lacking)
            snprintf(heap->lacking, sizeof heap->lacking, "malloc comes from %.512s", path);
        if (atoi(line) == (int)pid && !told) {
            told = true;
            snprintf(heap->served, sizeof heap->served, "%s", path);
            snprintf(heap->version, sizeof heap->version, "%s", end + 1);
        }
    }
    if (file)
        fclose(file);
    if (!told)
        snprintf(heap->lacking, sizeof heap->lacking,
                 "no heap can be preloaded into it: it is linked statically or set-uid");
}

static bool run_once(struct check *check, const struct program_heap *heap, const struct ask *ask,
                     struct program_run *run, struct error *error) {
    char cell[2 * AREA_PATH_BYTES];
    program_clear_log(check->program);
    bool ran = program_run(check->program, heap, ask ? ask->library : "", ask ? ask->setting : NULL,
                           run, error);
    if (ran && check->program->hlog && run->status == RUN_OK && !program_has_log(check->program))
        ran = error_set(error, EXIT_INPUT,
                        "%s writes no HdrHistogram log (V2, compressed) to %s when it runs",
                        check->program->name, check->program->hlog);
    program_clear_log(check->program);
    if (!ran)
        return false;
    snprintf(cell, sizeof cell, "%s/%s", check->program->name, heap->name);
    check->progress.done++;
    check->progress.cell = cell;
    check->progress.status = run_status_name(run->status);
    check->progress.reason = run->reason;
    check->tell(&check->progress);
    return true;
}

static bool check_heap(struct check *check, struct program_heap *heap, struct error *error) {
    struct ask ask;
    struct program_run run;
    if (!prepare(check, "tailrace-heap-probe.so", "TAILRACE_HEAP_PROBE", 0, &ask, error) ||
        !run_once(check, heap, &ask, &run, error))
        return false;
    read_served(&ask, heap, run.pid);
    for (uint32_t i = 1; i < check->program->warmup; i++)
        if (!run_once(check, heap, NULL, &run, error))
            return false;
    if (run.status != RUN_OK && check->failed++ == 0)
        snprintf(check->failure, sizeof check->failure, "%s", run.reason);
    return true;
}

static bool count_calls(struct check *check, const struct program_heap *heap, struct error *error) {
    struct ask ask;
    struct program_run run;
    uint64_t *calls = &check->program->heap_calls;
    if (!prepare(check, "tailrace-heap-calls.so", "TAILRACE_HEAP_CALLS", sizeof *calls, &ask,
                 error) ||
        !run_once(check, heap, &ask, &run, error))
        return false;
    FILE *file = fopen(ask.file, "re");
    if (!file || fread(calls, sizeof *calls, 1, file) != 1)
        *calls = 0;
    if (file)
        fclose(file);
    return true;
}

/* Whether there is anything to compare. */
static bool judge(const struct check *check, struct error *error) {
    const struct program *program = check->program;
    uint32_t served = 0;
    const char *lacking = "";
    for (uint32_t i = program->heap_count; i-- > 0;) {
        served += !*program->heaps[i].lacking;
        lacking = *program->heaps[i].lacking ? program->heaps[i].lacking : lacking;
    }
    if (check->failed == program->heap_count)
        return error_set(error, EXIT_INPUT, "it fails under every heap: %s", check->failure);
    if (served < 2)
        return error_set(error, EXIT_INPUT, "%s cannot be compared under heaps: %s", program->name,
                         lacking);
    return true;
}

bool program_check(struct program *program, bench_tell tell, struct error *error) {
    struct check check = {.program = program, .tell = tell};
    const struct program_heap *glibc = NULL;
    for (uint32_t i = 0; i < program->heap_count; i++)
        if (!*program->heaps[i].library)
            glibc = &program->heaps[i];
    check.progress = (struct bench_progress){
        .warming = true, .planned = program->heap_count * program->warmup + !!glibc, .left_s = -1};
    bool checked = files_temporary(check.folder, sizeof check.folder, error);
    for (uint32_t i = 0; i < program->heap_count && checked; i++)
        checked = check_heap(&check, &program->heaps[i], error);
    checked = checked && (!glibc || *glibc->lacking || count_calls(&check, glibc, error));
    if (*check.folder)
        files_remove(check.folder);
    return checked && judge(&check, error);
}
