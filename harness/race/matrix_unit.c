/* SPDX-License-Identifier: MIT */
/* matrix_unit.c - one case in one memory mode: builds it for each detector and makes the runs. */
#include "race/matrix_unit.h"

#include "race/cell_json.h"
#include "race/rust_twin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH_BYTES 4096
#define REASON_BYTES 256

/* What the unit works with; big, so one on the heap. */
struct bench {
    const struct matrix_unit *unit;
    char source[PATH_BYTES];
    struct case_marks marks;
    struct spawn_result result;
    struct findings all;
    struct arm native[2]; /* twin, bug: index is BUG */
    struct arm arms[2][SCHEDULE_COUNT];
};

static uint32_t schedules_of(const struct detector *detector) {
    return detector_id(detector) == DETECTOR_ID_tsan ? SCHEDULE_COUNT : 1;
}

static const char *schedule_text(const struct detector *detector, uint32_t schedule) {
    return schedules_of(detector) == 1 ? "none" : schedule_name((enum race_schedule)schedule);
}

static bool wanted(const struct matrix_unit *unit, const struct detector *detector) {
    bool once = detector->kind == DETECTOR_RUST && unit->mode != 0;
    return (unit->options->detectors >> detector_id(detector) & 1) && !once;
}

uint32_t matrix_unit_cells(const struct matrix_unit *unit) {
    uint32_t count = 0;
    for (size_t i = 0; i < DETECTOR_ID_COUNT; i++)
        if (wanted(unit, &detectors[i]))
            count += schedules_of(&detectors[i]);
    return count;
}

static struct race_cell cell_of(struct bench *bench, const struct detector *detector,
                                uint32_t schedule) {
    return (struct race_cell){.one = bench->unit->one,
                              .detector = detector,
                              .mode = case_mode_names[bench->unit->mode],
                              .schedule = schedule_text(detector, schedule),
                              .case_path = bench->source,
                              .marks = &bench->marks};
}

static void put_unsupported(struct bench *bench, const struct detector *detector,
                            const char *reason) {
    for (uint32_t i = 0; i < schedules_of(detector); i++) {
        struct race_cell cell = cell_of(bench, detector, i);
        bench->unit->put(bench->unit->context, cell_unsupported_json(&cell, reason));
    }
}

static void program_path(const struct bench *bench, const struct detector *detector, int bug,
                         char path[PATH_BYTES]) {
    snprintf(path, PATH_BYTES, "%s/%u-%s-%d", bench->unit->work, bench->unit->number,
             detector->name, bug);
}

static bool compile(struct bench *bench, const struct detector *detector, int bug) {
    char program[PATH_BYTES], bug_flag[16], mode_flag[48];
    program_path(bench, detector, bug, program);
    snprintf(bug_flag, sizeof bug_flag, "-DBUG=%d", bug);
    snprintf(mode_flag, sizeof mode_flag, "-DMEM_MODE=%s", case_mode_names[bench->unit->mode]);
    struct detector_build build = {
        .sources = (const char *const[]){bench->source, NULL},
        .flags = (const char *const[]){bug_flag, mode_flag, "-I" TAILRACE_SOURCE_DIR "/scenarios",
                                       "-I" TAILRACE_SOURCE_DIR "/harness", NULL},
        .program = program};
    bench->all.count = bench->all.lost = 0;
    return detector_compile(detector, &build, &bench->result, &bench->all);
}

static uint32_t runs_of(const struct bench *bench, const struct detector *detector) {
    uint32_t runs = bench->unit->options->runs;
    return runs                                  ? runs
           : detector->kind == DETECTOR_VALGRIND ? MATRIX_RUNS_VALGRIND
                                                 : MATRIX_RUNS_TSAN;
}

static void run_arm(struct bench *bench, const struct detector *detector, int bug,
                    enum race_schedule schedule, uint32_t runs, uint32_t number, struct arm *arm) {
    char program[PATH_BYTES], log[PATH_BYTES + 8];
    program_path(bench, detector, bug, program);
    snprintf(log, sizeof log, "%s.log", program);
    double native_s = arm_median_s(&bench->native[0]);
    struct arm_plan plan = {.detector = detector,
                            .argv = (char *const[]){program, NULL},
                            .log_prefix = log,
                            .schedule = schedule,
                            .runs = runs,
                            .first_number = number,
                            .native_s = native_s > 0 ? native_s : 0,
                            .case_path = bench->source,
                            .marks = &bench->marks};
    arm_run(&plan, arm);
}

/* The schedule that shows most of what plain runs hardly show, or 0. */
static uint32_t raised(const struct bench *bench) {
    const struct arm *plain = &bench->arms[1][SCHEDULE_PLAIN];
    uint32_t best = 0;
    if (plain->exposed > MATRIX_RARE * plain->runs)
        return 0;
    for (uint32_t i = 1; i < SCHEDULE_COUNT; i++) {
        const struct arm *arm = &bench->arms[1][i];
        if (arm->exposed >= MATRIX_RAISED * arm->runs &&
            (best == 0 || arm->exposed > bench->arms[1][best].exposed))
            best = i;
    }
    return best;
}

/* A claim rests on fresh runs: those that led to it are not among them. */
static void run_claim(struct bench *bench, const struct detector *detector) {
    uint32_t best = raised(bench), runs = MATRIX_RUNS_CLAIM;
    if (best == 0 || bench->unit->options->runs != 0 || spawn_interrupted())
        return;
    run_arm(bench, detector, 1, SCHEDULE_PLAIN, runs, MATRIX_CLAIM_NUMBER,
            &bench->arms[1][SCHEDULE_PLAIN]);
    run_arm(bench, detector, 1, (enum race_schedule)best, runs, MATRIX_CLAIM_NUMBER,
            &bench->arms[1][best]);
}

static void put_all(struct bench *bench, const struct detector *detector) {
    for (uint32_t i = 0; i < schedules_of(detector) && !spawn_interrupted(); i++) {
        struct race_cell cell = cell_of(bench, detector, i);
        bool native = detector->kind == DETECTOR_NATIVE;
        cell.bug = native ? &bench->native[1] : &bench->arms[1][i];
        cell.twin = native ? &bench->native[0] : &bench->arms[0][i];
        cell.native_bug = native ? NULL : &bench->native[1];
        cell.native_twin = &bench->native[0];
        bench->unit->put(bench->unit->context, race_cell_json(&cell));
    }
}

static bool build_both(struct bench *bench, const struct detector *detector) {
    char reason[REASON_BYTES];
    for (int bug = 0; bug < 2; bug++)
        if (!compile(bench, detector, bug)) {
            if (!spawn_interrupted()) {
                snprintf(reason, sizeof reason, "it does not compile: %.200s", bench->result.said);
                put_unsupported(bench, detector, reason);
            }
            return false;
        }
    return true;
}

static void run_dynamic(struct bench *bench, const struct detector *detector) {
    if (!build_both(bench, detector))
        return;
    for (uint32_t i = 0; i < schedules_of(detector); i++)
        for (int bug = 0; bug < 2; bug++) {
            struct arm *arm = &bench->arms[bug][i], *plain = &bench->arms[bug][0];
            *arm = (struct arm){.points = i ? plain->points : 0,
                                .sync_points = i ? plain->sync_points : 0};
            run_arm(bench, detector, bug, (enum race_schedule)i, runs_of(bench, detector), 1, arm);
        }
    if (detector_id(detector) == DETECTOR_ID_tsan)
        run_claim(bench, detector);
    put_all(bench, detector);
    for (int bug = 0; bug < 2; bug++) {
        char program[PATH_BYTES];
        program_path(bench, detector, bug, program);
        unlink(program);
    }
}

/* The compiler is the run. */
static void run_static(struct bench *bench, const struct detector *detector) {
    struct arm_plan plan = {
        .detector = detector, .case_path = bench->source, .marks = &bench->marks};
    for (int bug = 0; bug < 2; bug++) {
        struct arm *arm = &bench->arms[bug][0];
        memset(arm, 0, sizeof *arm);
        arm->first_report_s = -1;
        compile(bench, detector, bug);
        arm_count(arm, &plan, &bench->result, &bench->all,
                  bench->all.count ? bench->all.list[0].message : "", 0);
    }
    put_all(bench, detector);
}

static void run_rust(struct bench *bench, const struct detector *detector) {
    struct race_cell cell = cell_of(bench, detector, 0);
    json_t *line =
        rust_twin_cell(&cell, bench->unit->work, bench->unit->number, &bench->result, &bench->all);
    if (spawn_interrupted())
        json_decref(line);
    else
        bench->unit->put(bench->unit->context, line);
}

static bool all_there(const struct bench *bench, const struct detector *detector) {
    const struct matrix_unit *unit = bench->unit;
    for (uint32_t i = 0; i < schedules_of(detector); i++)
        if (!unit->have(unit->context, unit->one->name, case_mode_names[unit->mode], detector->name,
                        schedule_text(detector, i)))
            return false;
    return true;
}

/* First what it is without a tool, which all others are held against. */
static void run_native(struct bench *bench) {
    const struct detector *native = &detectors[DETECTOR_ID_native];
    if (!build_both(bench, native))
        return;
    for (int bug = 0; bug < 2; bug++)
        run_arm(bench, native, bug, SCHEDULE_PLAIN, runs_of(bench, native), 1, &bench->native[bug]);
    if (wanted(bench->unit, native) && !all_there(bench, native))
        put_all(bench, native);
}

static void run_detector(struct bench *bench, const struct detector *detector) {
    if (!wanted(bench->unit, detector) || all_there(bench, detector) || spawn_interrupted())
        return;
    if (!detector->available)
        put_unsupported(bench, detector, detector->reason);
    else if (detector->kind == DETECTOR_STATIC && bench->unit->one->modes == CASE_MODES)
        put_unsupported(bench, detector, "it would judge the allocator's own code");
    else if (detector->kind == DETECTOR_RUST)
        run_rust(bench, detector);
    else if (detector->kind == DETECTOR_STATIC)
        run_static(bench, detector);
    else
        run_dynamic(bench, detector);
}

bool matrix_unit_run(const struct matrix_unit *unit, struct error *error) {
    struct bench *bench = calloc(1, sizeof *bench);
    if (!bench || !findings_init(&bench->all)) {
        free(bench);
        return error_set(error, EXIT_LACKING, "no memory for a case's runs");
    }
    bench->unit = unit;
    case_path(unit->one, "c", bench->source, sizeof bench->source);
    bool marked = case_marks(bench->source, &bench->marks, error);
    if (marked)
        run_native(bench);
    for (size_t i = 1; marked && i < DETECTOR_ID_COUNT; i++)
        run_detector(bench, &detectors[i]);
    findings_free(&bench->all);
    free(bench);
    return marked;
}
