/* SPDX-License-Identifier: MIT */
/* arm.c - many runs of one program under one detector and schedule. */
#include "race/arm.h"

#include "race/length.h"

#include <stdlib.h>
#include <string.h>

static int by_size(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

double arm_median_s(struct arm *arm) {
    if (arm->wall_count == 0)
        return -1;
    qsort(arm->wall_s, arm->wall_count, sizeof *arm->wall_s, by_size);
    return arm->wall_s[arm->wall_count / 2];
}

static bool ours(const struct finding *finding, const struct arm_plan *plan) {
    return case_right(finding, plan->case_path, plan->marks);
}

static void tell(struct arm *arm, const struct finding *finding, bool right, const char *sample) {
    if (arm->told && (arm->told_right || !right))
        return;
    arm->told = true;
    arm->told_right = right;
    arm->finding = *finding;
    memcpy(arm->sample, sample, sizeof arm->sample);
}

void arm_count(struct arm *arm, const struct arm_plan *plan, const struct spawn_result *result,
               const struct findings *all, const char *sample, double before_s) {
    bool right = false;
    for (uint32_t i = 0; i < all->count; i++) {
        bool one = ours(&all->list[i], plan);
        right = right || one;
        tell(arm, &all->list[i], one, sample);
    }
    bool hung = result->end == SPAWN_HUNG || result->end == SPAWN_SPUN;
    bool oracle = result->end == SPAWN_EXITED && strstr(result->said, "oracle: ");
    bool crash = result->end == SPAWN_SIGNALED;
    arm->runs++;
    arm->hits += right;
    arm->misplaced += !right && all->count > 0;
    arm->oracle += oracle;
    arm->hangs += hung;
    arm->crashes += crash;
    arm->clean_exits += result->end == SPAWN_EXITED && result->status == 0;
    arm->exposed += right || oracle || hung || crash;
    arm->cpu_s += result->cpu_s;
    if (!hung)
        arm->wall_s[arm->wall_count++] = result->wall_s;
    if (right && arm->first_report_s < 0)
        arm->first_report_s = before_s + result->wall_s;
}

static bool enough(const struct arm *arm) {
    return arm->runs >= ARM_HANGS_ENOUGH && arm->hangs == arm->runs;
}

static double timeout_s(const struct arm_plan *plan) {
    double all_s = ARM_TIMEOUT_TIMES * plan->native_s;
    return all_s > ARM_TIMEOUT_MIN_S ? all_s : ARM_TIMEOUT_MIN_S;
}

static void run_all(const struct arm_plan *plan, struct arm *arm, struct spawn_result *result,
                    struct findings *all) {
    char sample[DETECTOR_SAMPLE_BYTES];
    double spent_s = 0;
    for (uint32_t i = 0; i < plan->runs && i < ARM_RUNS_MAX && !enough(arm); i++) {
        uint32_t number = plan->first_number + i;
        struct run_shape shape;
        struct detector_run run = {
            .argv = plan->argv,
            .log_prefix = plan->log_prefix,
            .seed = length_seed(plan->schedule, number, arm->points, arm->sync_points),
            .timeout_s = timeout_s(plan)};
        all->count = all->lost = 0;
        detector_execute(plan->detector, &run, result, all, &shape, sample);
        if (result->end == SPAWN_INTERRUPTED || result->end == SPAWN_FAILED)
            return;
        uint32_t exposed = arm->exposed;
        arm_count(arm, plan, result, all, sample, spent_s);
        spent_s += result->wall_s;
        if (arm->exposed > exposed && exposed == 0)
            arm->first_seed = run.seed;
        if (shape.present) {
            arm->points = shape.points;
            arm->sync_points = shape.sync_points;
        }
    }
}

bool arm_run(const struct arm_plan *plan, struct arm *arm) {
    struct spawn_result *result = malloc(sizeof *result);
    struct findings all;
    bool room = findings_init(&all) && result;
    uint64_t points = arm->points, sync_points = arm->sync_points;
    memset(arm, 0, sizeof *arm);
    arm->points = points;
    arm->sync_points = sync_points;
    arm->first_report_s = -1;
    if (room)
        run_all(plan, arm, result, &all);
    findings_free(&all);
    free(result);
    return room;
}
