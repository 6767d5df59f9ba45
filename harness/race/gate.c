/* SPDX-License-Identifier: MIT */
/* gate.c - judges a program: makes the runs, side by side, and gathers what they found. */
#include "race/gate.h"

#include "base/clock.h"
#include "race/cell_json.h"
#include "race/gate_program.h"
#include "race/length.h"
#include "race/parallel.h"
#include "race/rates.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_TIMES 10
#define TIMEOUT_MIN_S 2
#define SLOW_TIMES 300
#define HANGS_ENOUGH 3 /* of one schedule: then others take its turns, while any does not hang */

/* Shared by the threads that run; the mutex holds all below it. */
struct gate {
    const struct gate_options *options;
    const struct gate_program *program;
    uint32_t planned;
    double timeout_s;
    uint64_t began_ns;
    pthread_mutex_t mutex;
    uint32_t next;
    uint64_t points, sync_points; /* of an earlier run: for seeds */
    uint32_t hangs[SCHEDULE_COUNT];
    struct race_result *result;
};

/* What one thread works with. */
struct lane {
    struct spawn_result result;
    struct findings all;
};

static double elapsed_s(const struct gate *gate) {
    return (double)(clock_monotonic_ns() - gate->began_ns) * 1e-9;
}

/* The last line of what the program said, in most cases why it ended. */
static const char *last_line(char *said) {
    size_t length = strlen(said);
    while (length > 0 && said[length - 1] == '\n')
        said[--length] = '\0';
    const char *begin = strrchr(said, '\n');
    return begin ? begin + 1 : said;
}

/* The fingerprint is of what and its kind; what the program said differs from run to run. */
static void add(struct findings *all, const char *detector, const char *kind, const char *what,
                int number, const char *said) {
    struct finding *one = calloc(1, sizeof *one);
    uint32_t before = all->count;
    if (!one)
        return;
    snprintf(one->detector, sizeof one->detector, "%s", detector);
    snprintf(one->kind, sizeof one->kind, "%s", kind);
    snprintf(one->message, sizeof one->message, "%s %d", what, number);
    findings_add(all, one);
    free(one);
    if (all->count > before && *said)
        snprintf(all->list[before].message, sizeof all->list[before].message, "%s %d: %.180s", what,
                 number, said);
}

/* What computed until it was ended has hung, but for a long program whose threads went one at a
 * time: that may only have been slow. */
static bool too_slow(const struct gate *gate, uint64_t seed, const struct spawn_result *result) {
    return result->end == SPAWN_SPUN && seed_schedule(seed) > SCHEDULE_DELAY &&
           result->wall_s < SLOW_TIMES * gate->program->native_s;
}

/* What no detector tells: a hang, a crash, another exit status than the program has otherwise. */
static void add_outcome(const struct gate *gate, const char *detector, uint64_t seed,
                        struct lane *lane) {
    struct spawn_result *result = &lane->result;
    int seconds = (int)(result->wall_s + 0.5), status = result->status;
    const char *said = last_line(result->said);
    if (result->end == SPAWN_HUNG)
        add(&lane->all, detector, "hang", "asleep for good; ended after seconds:", seconds, "");
    else if (result->end == SPAWN_SPUN && !too_slow(gate, seed, result))
        add(&lane->all, detector, "hang", "still computing; ended after seconds:", seconds, "");
    else if (result->end == SPAWN_SIGNALED && gate_crash_told(&lane->all))
        return;
    else if (result->end == SPAWN_SIGNALED)
        add(&lane->all, detector, status == SIGABRT ? "abort" : "crash", "ended by signal", status,
            said);
    else if (result->end == SPAWN_EXITED && lane->all.count == 0 &&
             !gate_program_status_known(gate->program, status))
        add(&lane->all, detector, "exit-status", "ended, otherwise than before, with status",
            status, said);
}

static struct race_row *row_of(struct race_result *result, const struct finding *finding) {
    for (uint32_t i = 0; i < result->row_count; i++)
        if (strcmp(result->rows[i].finding.fingerprint, finding->fingerprint) == 0 &&
            strcmp(result->rows[i].finding.detector, finding->detector) == 0)
            return &result->rows[i];
    if (result->row_count == RACE_ROWS_MAX)
        return NULL;
    struct race_row *row = &result->rows[result->row_count++];
    *row = (struct race_row){.finding = *finding};
    return row;
}

static struct race_tally *tally_of(struct race_result *result, const char *detector,
                                   const char *schedule) {
    for (uint32_t i = 0; i < result->tally_count; i++)
        if (strcmp(result->tallies[i].detector, detector) == 0 &&
            strcmp(result->tallies[i].schedule, schedule) == 0)
            return &result->tallies[i];
    if (result->tally_count == RACE_TALLIES_MAX)
        return NULL;
    struct race_tally *tally = &result->tallies[result->tally_count++];
    *tally = (struct race_tally){0};
    snprintf(tally->detector, sizeof tally->detector, "%s", detector);
    snprintf(tally->schedule, sizeof tally->schedule, "%s", schedule);
    return tally;
}

static void note(struct race_result *result, const char *format, uint32_t number) {
    char text[sizeof result->notes[0]];
    snprintf(text, sizeof text, format, number);
    for (uint32_t i = 0; i < result->note_count; i++)
        if (strcmp(result->notes[i], text) == 0)
            return;
    if (result->note_count < RACE_NOTES_MAX)
        snprintf(result->notes[result->note_count++], sizeof text, "%s", text);
}

/* Takes one run into the result, under the mutex. */
static void take(struct gate *gate, const struct detector *detector, uint64_t seed,
                 const struct lane *lane, const struct run_shape *shape) {
    struct race_result *result = gate->result;
    const char *schedule =
        gate->program->schedules > 1 ? schedule_name(seed_schedule(seed)) : "plain";
    struct race_tally *tally = tally_of(result, detector->name, schedule);
    enum spawn_end end = lane->result.end;
    result->runs++;
    bool slow = too_slow(gate, seed, &lane->result);
    bool hung = end == SPAWN_HUNG || (end == SPAWN_SPUN && !slow);
    result->hung += hung;
    gate->hangs[gate->program->schedules > 1 ? seed_schedule(seed) : 0] += hung || slow;
    result->crashed += gate_crashed(&lane->result, &lane->all);
    if (tally) {
        tally->runs++;
        tally->hits += lane->all.count > 0;
    }
    for (uint32_t i = 0; i < lane->all.count; i++) {
        struct race_row *row = row_of(result, &lane->all.list[i]);
        if (row && row->hits++ == 0)
            row->first_seed = seed;
    }
    if (end == SPAWN_FLOOD)
        note(result, "runs were ended after %u MiB of reports: there are more than these",
             (uint32_t)(SPAWN_LOG_BYTES_MAX >> 20));
    if (slow)
        note(result,
             "some runs with threads one at a time were too slow, and ended before their end", 0);
    if (lane->result.left_behind)
        note(result, "the program left processes behind, which were ended", 0);
    if (shape->present && shape->points) {
        gate->points = shape->points;
        gate->sync_points = shape->sync_points;
    }
}

/* In turn, but for those that have hung enough: each costs a timeout and tells nothing new. */
static enum race_schedule schedule_of(struct gate *gate, const struct gate_target *target,
                                      uint32_t turn) {
    uint32_t count = target->scheduled ? gate->program->schedules : 1;
    enum race_schedule schedule = (enum race_schedule)(turn % count);
    pthread_mutex_lock(&gate->mutex);
    for (uint32_t i = 0; i < count && gate->hangs[schedule] >= HANGS_ENOUGH; i++)
        schedule = (enum race_schedule)((schedule + 1) % count);
    pthread_mutex_unlock(&gate->mutex);
    return schedule;
}

static void run_one(struct gate *gate, struct lane *lane, uint32_t number, uint64_t points,
                    uint64_t sync_points) {
    const struct gate_program *program = gate->program;
    const struct gate_target *target = &program->targets[number % program->target_count];
    uint32_t turn = number / program->target_count;
    enum race_schedule schedule = schedule_of(gate, target, turn);
    char log[GATE_PATH_BYTES + 32];
    struct run_shape shape;
    struct detector_run run = {.argv = target->argv,
                               .log_prefix = log,
                               .seed = length_seed(schedule, turn + 1, points, sync_points),
                               .timeout_s = gate->timeout_s};
    if (gate->options->replaying)
        run.seed = gate->options->replay;
    snprintf(log, sizeof log, "%s/run-%u", program->work, number);
    lane->all.count = lane->all.lost = 0;
    detector_execute(target->detector, &run, &lane->result, &lane->all, &shape, NULL);
    if (lane->result.end == SPAWN_INTERRUPTED || lane->result.end == SPAWN_FAILED)
        return;
    add_outcome(gate, target->detector->name, run.seed, lane);
    pthread_mutex_lock(&gate->mutex);
    take(gate, target->detector, run.seed, lane, &shape);
    gate->options->tell(gate->result->runs, gate->planned, gate->result->row_count);
    pthread_mutex_unlock(&gate->mutex);
}

static bool over(const struct gate *gate) {
    const struct gate_options *options = gate->options;
    double budget_s = options->budget_s > 0 ? options->budget_s : options->runs ? 0 : GATE_BUDGET_S;
    return spawn_interrupted() || gate->next >= gate->planned ||
           (budget_s > 0 && gate->next > 0 && elapsed_s(gate) > budget_s);
}

static void *work(void *context) {
    struct gate *gate = context;
    struct lane *lane = calloc(1, sizeof *lane);
    if (!lane || !findings_init(&lane->all)) {
        free(lane);
        return NULL;
    }
    for (;;) {
        pthread_mutex_lock(&gate->mutex);
        bool stop = over(gate);
        uint32_t mine = gate->next;
        gate->next += !stop;
        uint64_t points = gate->points, sync_points = gate->sync_points;
        pthread_mutex_unlock(&gate->mutex);
        if (stop)
            break;
        run_one(gate, lane, mine, points, sync_points);
    }
    findings_free(&lane->all);
    free(lane);
    return NULL;
}

static uint32_t planned_runs(const struct gate_options *options,
                             const struct gate_program *program) {
    double runs = options->runs        ? options->runs
                  : options->replaying ? 1
                                       : rate_runs_for(options->assume_p, options->confidence);
    double all = runs * program->target_count;
    return all < GATE_RUNS_MAX ? (uint32_t)all : GATE_RUNS_MAX;
}

static void set_runs(struct race_result *result) {
    for (uint32_t i = 0; i < result->row_count; i++)
        for (uint32_t j = 0; j < result->tally_count; j++)
            if (strcmp(result->rows[i].finding.detector, result->tallies[j].detector) == 0)
                result->rows[i].runs += result->tallies[j].runs;
}

bool gate_run(const struct gate_options *options, struct race_result *result, struct error *error) {
    struct gate_program program = {0};
    memset(result, 0, sizeof *result);
    result->rows = calloc(RACE_ROWS_MAX, sizeof *result->rows);
    if (!result->rows)
        return error_set(error, EXIT_LACKING, "no memory for findings");
    bool ready = gate_program_open(options, &program, result, error);
    if (ready) {
        struct gate gate = {.options = options,
                            .program = &program,
                            .planned = planned_runs(options, &program),
                            .timeout_s = TIMEOUT_TIMES * program.native_s > TIMEOUT_MIN_S
                                             ? TIMEOUT_TIMES * program.native_s
                                             : TIMEOUT_MIN_S,
                            .began_ns = clock_monotonic_ns(),
                            .mutex = PTHREAD_MUTEX_INITIALIZER,
                            .points = program.points,
                            .sync_points = program.sync_points,
                            .result = result};
        parallel_run(options->jobs, work, &gate);
        result->seconds = elapsed_s(&gate);
        if (gate.next < gate.planned && !spawn_interrupted())
            note(result, "the time was up after %u runs: --budget gives more", gate.next);
        set_runs(result);
    }
    gate_program_close(&program);
    return ready;
}

void gate_free(struct race_result *result) {
    free(result->rows);
    result->rows = NULL;
}
