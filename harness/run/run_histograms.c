/* SPDX-License-Identifier: MIT */
/* run_histograms.c - from a worker's records to HdrHistogram's files; keeping those of a result set
 * in step with runs.jsonl. */
#include "run/run_histograms.h"

#include "base/clock.h"
#include "measure/hlog.h"
#include "run/files.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 8192
#define FILE_NAME_MAX ((int)(NAME_MAX - sizeof ".hlog"))
#define RUN_COMMENT "#[Run: block %u, status %s]\n"
#define FIRST_LINE "#[Histogram log format version "

/* A run as a log tells it: intervals of which the workers are added up. */
struct timeline {
    char tag[2 * AREA_PATH_BYTES + 16];
    double start_wall_s; /* of the recording */
    struct histogram *histograms;
    struct hlog_interval intervals[LOAD_SLICES_MAX];
    size_t count;
};

static double wall_s(uint64_t at_ns) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9 -
           ((double)clock_now_ns() - (double)at_ns) * 1e-9;
}

static uint64_t last_end_ns(const struct area *area) {
    uint64_t last_ns = area->config.plan.start_ns;
    for (uint32_t w = 0; w < area->config.plan.workers; w++)
        if (area->records[w].end_ns > last_ns)
            last_ns = area->records[w].end_ns;
    return last_ns;
}

static size_t used_slices(const struct area *area) {
    size_t used = 0;
    for (uint32_t w = 0; w < area->config.plan.workers; w++)
        for (size_t i = used; i < LOAD_SLICES_MAX; i++)
            if (area->records[w].slices[i].count)
                used = i + 1;
    return used;
}

/* Closed loop has one interval, open loop the slices; what was due after the last slice is in it,
 * so that one lasts until the end. */
static void add_up(struct timeline *to, const struct area *area) {
    const struct load_plan *plan = &area->config.plan;
    double end_s = (double)(last_end_ns(area) - plan->start_ns) * 1e-9;
    double slice_s = (double)plan->slice_ns * 1e-9;
    for (size_t i = 0; i < to->count; i++) {
        double start_s = plan->open ? (double)i * slice_s : 0;
        bool to_end = !plan->open || (i == LOAD_SLICES_MAX - 1 && end_s > start_s + slice_s);
        to->intervals[i] =
            (struct hlog_interval){start_s, to_end ? end_s - start_s : slice_s, &to->histograms[i]};
        for (uint32_t w = 0; w < plan->workers; w++)
            histogram_add(&to->histograms[i],
                          plan->open ? &area->records[w].slices[i] : &area->records[w].service);
    }
}

static bool timeline_make(struct timeline *to, const struct cell *cell, const struct run *run,
                          struct error *error) {
    const struct area *area = run->area;
    *to = (struct timeline){.start_wall_s = run->started_at};
    cell_name(cell, to->tag, sizeof to->tag);
    bool open = area ? area->config.plan.open : cell->mode != CELL_CLOSED; /* --load runs both */
    if (!open)
        strncat(to->tag, "/service", sizeof to->tag - strlen(to->tag) - 1);
    /* before the recording a record holds the warm-up; acquire: as in the worker's enter_phase */
    if (!area || atomic_load_explicit(&area->phase, memory_order_acquire) < PHASE_RECORD)
        return true;
    to->count = area->config.plan.open ? used_slices(area) : 1;
    to->start_wall_s = wall_s(area->config.plan.start_ns);
    to->histograms = calloc(to->count ? to->count : 1, sizeof *to->histograms);
    if (!to->histograms)
        return error_set(error, EXIT_LACKING, "out of memory");
    add_up(to, area);
    return true;
}

static bool put_log(FILE *file, const void *content) {
    const struct timeline *run = content;
    return hlog_write(file, run->tag, run->start_wall_s, run->intervals, run->count);
}

static bool put_table(FILE *file, const void *content) {
    const struct timeline *run = content;
    struct histogram all = {0};
    for (size_t i = 0; i < run->count; i++)
        histogram_add(&all, &run->histograms[i]);
    return hgrm_write(file, &all);
}

static bool write_run(const struct cell *cell, const struct run *run, file_put put,
                      const char *path, struct error *error) {
    struct timeline timeline;
    if (!timeline_make(&timeline, cell, run, error))
        return false;
    bool written = strcmp(path, "-") == 0 ? (put(stdout, &timeline), true)
                                          : file_write(path, put, &timeline, error);
    free(timeline.histograms);
    return written;
}

bool run_write_hlog(const struct cell *cell, const struct run *run, const char *path,
                    struct error *error) {
    return write_run(cell, run, put_log, path, error);
}

bool run_write_hgrm(const struct cell *cell, const struct run *run, const char *path,
                    struct error *error) {
    return write_run(cell, run, put_table, path, error);
}

/* '/' becomes '+', what else could trouble a shell %XX. */
static char *put_safe(char *to, char c) {
    bool plain = isalnum((unsigned char)c) || strchr("-_.=", c);
    if (c != '/' && !plain)
        return to + sprintf(to, "%%%02X", (unsigned char)c);
    *to++ = plain ? c : '+';
    *to = '\0';
    return to;
}

/* Turns a cell's name into a file name that no other cell has; one that is too long ends in a hash
 * of the whole. */
static void log_path(const char *folder, const struct cell *cell, char *path) {
    char name[2 * AREA_PATH_BYTES], safe[3 * sizeof name] = "", *end = safe;
    uint64_t hash = 0xcbf29ce484222325; /* FNV-1a */
    cell_name(cell, name, sizeof name);
    for (const char *c = name; *c; c++) {
        hash = (hash ^ (unsigned char)*c) * 0x100000001b3;
        end = put_safe(end, *c);
    }
    if (end - safe > FILE_NAME_MAX)
        sprintf(safe + FILE_NAME_MAX - 17, "~%016llx", (unsigned long long)hash);
    snprintf(path, PATH_BYTES, "%s/hlog/%.*s.hlog", folder, FILE_NAME_MAX, safe);
}

static bool cannot(const char *what, const char *path, struct error *error) {
    return error_set(error, EXIT_INPUT, "cannot %s %s: %s", what, path, strerror(errno));
}

/* The log's own start from its header, leaving the file at its end; false where there is none yet.
 */
static bool read_start(FILE *file, double *start_wall_s) {
    char line[128];
    bool found = false;
    rewind(file);
    while (!found && fgets(line, sizeof line, file) && *line == '#')
        found = sscanf(line, "#[StartTime: %lf", start_wall_s) == 1;
    fseeko(file, 0, SEEK_END);
    return found;
}

struct section {
    const struct timeline *run;
    uint32_t block;
    const char *status;
    bool first;
    double log_start_wall_s;
};

static bool put_section(FILE *file, const void *content) {
    const struct section *section = content;
    return (!section->first || hlog_write_header(file, section->log_start_wall_s)) &&
           fprintf(file, RUN_COMMENT, section->block, section->status) > 0 &&
           hlog_write_intervals(file, section->run->tag, section->run->intervals,
                                section->run->count);
}

/* Readers drop what begins before the log does, so a wall clock that was set back moves nothing. */
static bool append_timeline(FILE *file, struct timeline *run, struct section *section,
                            const char *path, struct error *error) {
    section->first = !read_start(file, &section->log_start_wall_s);
    if (section->first)
        section->log_start_wall_s = run->start_wall_s;
    double offset_s = run->start_wall_s - section->log_start_wall_s;
    for (size_t i = 0; i < run->count && offset_s > 0; i++)
        run->intervals[i].start_s += offset_s;
    return file_append(file, put_section, section, path, error);
}

bool set_append_hlog(const char *folder, const struct cell *cell, const struct run *run,
                     uint32_t block, struct error *error) {
    char path[PATH_BYTES];
    struct timeline timeline;
    struct section section = {&timeline, block, run_status_name(run->status), false, 0};
    if (!timeline_make(&timeline, cell, run, error))
        return false;
    bool appended = timeline.count == 0;
    if (!appended) {
        snprintf(path, sizeof path, "%s/hlog", folder);
        bool there = mkdir(path, 0777) == 0 || errno == EEXIST;
        if (there)
            log_path(folder, cell, path);
        FILE *file = there ? fopen(path, "a+e") : NULL;
        appended = file ? append_timeline(file, &timeline, &section, path, error)
                        : cannot("write", path, error);
        if (file)
            fclose(file);
    }
    free(timeline.histograms);
    return appended;
}

/* Where the part that runs.jsonl tells of ends: 0 if there is no run in it, so that a torn header
 * is written anew; negative if this is no log of ours. */
static off_t find_end(FILE *file, const bool *done, uint32_t blocks) {
    char *line = NULL;
    size_t line_bytes = 0;
    ssize_t length;
    off_t end = 0;
    bool ours = true, told = true, any = false;
    while (ours && told && (length = getline(&line, &line_bytes, file)) > 0 &&
           line[length - 1] == '\n') {
        unsigned block;
        ours = end > 0 || strncmp(line, FIRST_LINE, strlen(FIRST_LINE)) == 0;
        if (sscanf(line, "#[Run: block %u", &block) == 1)
            any = (told = block < blocks && done[block]) || any;
        end += told ? length : 0;
    }
    free(line);
    return !ours ? -1 : any ? end : 0;
}

bool set_resume_hlog(const char *folder, const struct cell *cell, const bool *done, uint32_t blocks,
                     struct error *error) {
    char path[PATH_BYTES];
    log_path(folder, cell, path);
    FILE *file = fopen(path, "r+e");
    if (!file)
        return errno == ENOENT || cannot("write", path, error);
    off_t end = find_end(file, done, blocks);
    bool cut = end < 0 ? error_set(error, EXIT_INPUT, "%s is no histogram log", path)
                       : ftruncate(fileno(file), end) == 0 || cannot("write", path, error);
    fclose(file);
    return cut;
}
