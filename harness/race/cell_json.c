/* SPDX-License-Identifier: MIT */
/* cell_json.c - the verdict of a cell of the matrix, and its line in cells.jsonl. */
#include "race/cell_json.h"

#include "race/race_escape.h"
#include "race/rates.h"

#include <string.h>

#define SURE 0.999

const char *schedule_name(enum race_schedule schedule) {
    static const char *const names[SCHEDULE_COUNT] = {"plain", "delay", "walk",
                                                      "pct2",  "pct3",  "pct4"};
    return schedule < SCHEDULE_COUNT ? names[schedule] : "unknown";
}

bool cell_expected(const struct race_case *one, const struct detector *detector, const char *mode) {
    bool silent = one->modes == CASE_MODES && strcmp(mode, "plain") == 0;
    bool tool = detector->kind != DETECTOR_RUST && detector->kind != DETECTOR_NATIVE;
    return !silent && tool && strchr(one->sees, detector->letter);
}

/* Without a tool the program is ended by a signal in nearly every run; under it, in none. */
static bool masked(const struct race_cell *cell) {
    const struct arm *native = cell->native_bug;
    return native && cell->detector->kind != DETECTOR_STATIC && native->runs > 0 &&
           native->crashes * 10 >= native->runs * 9 && cell->bug->crashes == 0 &&
           cell->bug->clean_exits == cell->bug->runs;
}

const char *cell_verdict(const struct race_cell *cell) {
    const struct arm *bug = cell->bug;
    return bug->hits > 0        ? "detected"
           : bug->misplaced > 0 ? "misplaced"
           : masked(cell)       ? "masked"
           : bug->crashes > 0   ? "crash-only"
           : bug->hangs > 0     ? "hang-only"
           : bug->oracle > 0    ? "oracle-only"
                                : "silent";
}

static json_t *real_or_null(double value, bool known) {
    return known ? json_real(value) : json_null();
}

static void set_text(json_t *object, const char *key, const char *text) {
    json_object_set_new(object, key, text_json(text));
}

static bool only_background(const struct finding *finding) {
    for (uint32_t i = 0; i < finding->stack_count; i++)
        if (!stack_is_background(&finding->stacks[i]))
            return false;
    return true;
}

/* Where the report says that it is: a line a stack, but for those of its background. */
static json_t *where_json(const struct race_cell *cell, const struct finding *finding) {
    json_t *all = json_array();
    bool background = only_background(finding);
    for (uint32_t i = 0; i < finding->stack_count; i++) {
        const struct frame *frame = case_frame(&finding->stacks[i], cell->case_path);
        if (!frame || stack_is_background(&finding->stacks[i]) != background)
            continue;
        json_t *one = json_object();
        set_text(one, "file", frame->file);
        set_text(one, "function", frame->function);
        set_text(one, "role", finding->stacks[i].role);
        json_object_set_new(one, "line", json_integer(frame->line));
        json_object_set_new(one, "marked", json_boolean(case_marked(cell->marks, frame->line)));
        json_array_append_new(all, one);
    }
    return all;
}

static void set_finding(json_t *object, const struct race_cell *cell, const struct arm *arm) {
    static const char *const keys[] = {"kind", "message", "sample", "where"};
    for (size_t i = 0; !arm->told && i < sizeof keys / sizeof *keys; i++)
        json_object_set_new(object, keys[i], json_null());
    if (!arm->told)
        return;
    set_text(object, "kind", arm->finding.kind);
    set_text(object, "message", arm->finding.message);
    set_text(object, "sample", arm->sample);
    json_object_set_new(object, "where", where_json(cell, &arm->finding));
}

static json_t *bug_json(const struct race_cell *cell) {
    struct arm *bug = cell->bug;
    bool run = cell->detector->kind != DETECTOR_STATIC;
    struct rate_interval right = rate_wilson(bug->hits, bug->runs);
    struct rate_interval seen = rate_wilson(bug->exposed, bug->runs);
    double share = bug->runs ? (double)bug->exposed / bug->runs : 0;
    double runs_sure = rate_runs_for(share, SURE), median_s = arm_median_s(bug);
    double twin_s = cell->twin ? arm_median_s(cell->twin) : -1;
    double native_s = cell->native_twin ? arm_median_s(cell->native_twin) : -1;
    json_t *all =
        json_pack("{s:i,s:i,s:[f,f],s:i,s:[f,f],s:i,s:i,s:i,s:i}", "runs", (int)bug->runs, "hits",
                  (int)bug->hits, "wilson", right.low, right.high, "exposed", (int)bug->exposed,
                  "exposed_wilson", seen.low, seen.high, "misplaced", (int)bug->misplaced, "oracle",
                  (int)bug->oracle, "hangs", (int)bug->hangs, "crashes", (int)bug->crashes);
    bool exposed = run && bug->exposed > 0;
    json_object_set_new(all, "first_report_ms",
                        real_or_null(bug->first_report_s * 1e3, run && bug->first_report_s >= 0));
    json_object_set_new(all, "median_ms", real_or_null(median_s * 1e3, run && median_s >= 0));
    json_object_set_new(all, "slowdown",
                        real_or_null(twin_s / native_s, run && twin_s >= 0 && native_s > 0));
    json_object_set_new(all, "runs_999", real_or_null(runs_sure, exposed));
    json_object_set_new(
        all, "cpu_s_999",
        real_or_null(runs_sure * bug->cpu_s / (bug->runs ? bug->runs : 1), exposed));
    json_object_set_new(all, "first_seed",
                        exposed ? json_integer((json_int_t)bug->first_seed) : json_null());
    set_finding(all, cell, bug);
    return all;
}

static json_t *twin_json(const struct race_cell *cell) {
    const struct arm *twin = cell->twin;
    json_t *all = json_pack("{s:i,s:i,s:i,s:i,s:i}", "runs", (int)twin->runs, "reports",
                            (int)(twin->hits + twin->misplaced), "hangs", (int)twin->hangs,
                            "crashes", (int)twin->crashes, "oracle", (int)twin->oracle);
    set_finding(all, cell, twin);
    return all;
}

static json_t *head_json(const struct race_cell *cell, const char *verdict, const char *reason) {
    json_t *all = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:b}", "schema", "tailrace/race-cell/1",
                            "case", cell->one->name, "mode", cell->mode, "detector",
                            cell->detector->name, "schedule", cell->schedule, "verdict", verdict,
                            "expected", cell_expected(cell->one, cell->detector, cell->mode));
    if (all)
        set_text(all, "reason", reason);
    return all;
}

json_t *cell_unsupported_json(const struct race_cell *cell, const char *reason) {
    json_t *all = head_json(cell, "unsupported", reason);
    json_object_set_new(all, "bug", json_null());
    json_object_set_new(all, "twin", json_null());
    return all;
}

json_t *race_cell_json(const struct race_cell *cell) {
    json_t *all = head_json(cell, cell_verdict(cell), "");
    json_object_set_new(all, "bug", bug_json(cell));
    json_object_set_new(all, "twin", cell->twin ? twin_json(cell) : json_null());
    return all;
}
