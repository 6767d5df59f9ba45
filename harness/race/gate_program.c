/* SPDX-License-Identifier: MIT */
/* gate_program.c - the program that a gate judges: built from source, or looked at. */
#include "race/gate_program.h"

#include "race/compilers.h"
#include "run/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define WORDS_MAX 48
#define WORDS_BYTES 4096

bool gate_program_status_known(const struct gate_program *program, int status) {
    for (uint32_t i = 0; i < program->status_count; i++)
        if (program->statuses[i] == status)
            return true;
    return status == 0 || !program->ended;
}

bool gate_crash_told(const struct findings *all) {
    static const char *const kinds[] = {
        "abort", "bus-error", "division-by-zero", "illegal-instruction", "null-dereference",
        "segv"};
    for (uint32_t i = 0; i < all->count; i++)
        for (size_t j = 0; j < sizeof kinds / sizeof *kinds; j++)
            if (strcmp(all->list[i].kind, kinds[j]) == 0)
                return true;
    return false;
}

bool gate_crashed(const struct spawn_result *result, const struct findings *all) {
    return result->end == SPAWN_SIGNALED ||
           (result->end == SPAWN_EXITED && result->status != 0 && gate_crash_told(all));
}

static void note(struct race_result *result, const char *text) {
    if (result->note_count < RACE_NOTES_MAX)
        snprintf(result->notes[result->note_count++], sizeof result->notes[0], "%s", text);
}

/* Words of an environment variable, as make's rules use them. */
struct words {
    size_t count;
    const char *list[WORDS_MAX];
    char text[WORDS_BYTES];
    size_t used;
};

static void take_words(struct words *words, const char *variable) {
    const char *value = getenv(variable);
    size_t room = sizeof words->text - words->used;
    if (!value || strlen(value) + 1 > room)
        return;
    char *own = words->text + words->used, *rest = NULL;
    words->used += strlen(value) + 1;
    memcpy(own, value, strlen(value) + 1);
    for (char *word = strtok_r(own, " \t\n", &rest); word && words->count < WORDS_MAX - 1;
         word = strtok_r(NULL, " \t\n", &rest))
        words->list[words->count++] = word;
}

static void take_sources(struct words *words, const char *const *sources) {
    for (; *sources && words->count < WORDS_MAX - 1; sources++)
        words->list[words->count++] = *sources;
}

/* What a static detector found goes into the result as of one run. */
static void take_static(struct race_result *result, const struct detector *detector,
                        const struct findings *all) {
    for (uint32_t i = 0; i < all->count && result->row_count < RACE_ROWS_MAX; i++)
        result->rows[result->row_count++] =
            (struct race_row){.finding = all->list[i], .hits = 1, .runs = 1};
    if (result->tally_count < RACE_TALLIES_MAX) {
        struct race_tally *tally = &result->tallies[result->tally_count++];
        *tally = (struct race_tally){.schedule = "none", .runs = 1, .hits = all->count > 0};
        snprintf(tally->detector, sizeof tally->detector, "%s", detector->name);
    }
}

static void set_argv(struct gate_target *target, char *const *arguments) {
    size_t count = 0;
    target->argv[count++] = target->program;
    for (; arguments && *arguments && count < GATE_ARGUMENTS_MAX - 1; arguments++)
        target->argv[count++] = *arguments;
    target->argv[count] = NULL;
}

static bool build(const struct gate_options *options, const struct detector *detector,
                  const char *path, struct race_result *result, struct error *error) {
    struct words flags = {0}, sources = {0};
    struct spawn_result *said = malloc(sizeof *said);
    struct findings all;
    if (!findings_init(&all) || !said) {
        free(said);
        return error_set(error, EXIT_LACKING, "no memory to build the program");
    }
    take_words(&flags, "CPPFLAGS");
    take_words(&flags, "CFLAGS");
    take_words(&flags, "LDFLAGS");
    take_sources(&sources, options->sources);
    take_words(&sources, "LDLIBS");
    struct detector_build order = {.sources = sources.list, .flags = flags.list, .program = path};
    bool built = detector_compile(detector, &order, said, &all);
    if (built && detector->kind == DETECTOR_STATIC)
        take_static(result, detector, &all);
    if (!built && !spawn_interrupted())
        fwrite(said->said, 1, said->said_length, stderr);
    findings_free(&all);
    free(said);
    if (spawn_interrupted())
        return error_set(error, EXIT_INTERRUPTED, "interrupted while building");
    return built || error_set(error, EXIT_INPUT, "%s does not compile for %s", options->sources[0],
                              detector->name);
}

/* One run by itself; true if it came to an end. */
static bool refer(struct gate_program *program, const struct gate_target *target,
                  struct spawn_result *result, struct findings *all, struct run_shape *shape) {
    char log[GATE_PATH_BYTES + 16];
    snprintf(log, sizeof log, "%s/reference", program->work);
    struct detector_run run = {
        .argv = target->argv, .log_prefix = log, .timeout_s = GATE_REFERENCE_TIMEOUT_S};
    all->count = 0;
    detector_execute(target->detector, &run, result, all, shape, NULL);
    if (result->end != SPAWN_EXITED)
        return false;
    program->ended = true;
    program->native_s = result->wall_s > program->native_s ? result->wall_s : program->native_s;
    if (all->count == 0 && result->status != 0 &&
        !gate_program_status_known(program, result->status) &&
        program->status_count < GATE_STATUSES_MAX)
        program->statuses[program->status_count++] = result->status;
    return true;
}

/* How the program ends, how long it takes, and whether the run-time is in it. */
static bool refer_all(struct gate_program *program, const struct gate_target *target,
                      struct run_shape *shape, struct error *error) {
    struct spawn_result *result = malloc(sizeof *result);
    struct findings all;
    bool room = findings_init(&all) && result, went_on = room;
    for (int i = 0; went_on && i < GATE_REFERENCE_RUNS; i++)
        went_on = refer(program, target, result, &all, shape);
    bool began = !room || result->end != SPAWN_FAILED ||
                 error_set(error, EXIT_INPUT, "cannot run %s: %s", target->program, result->said);
    findings_free(&all);
    free(result);
    return spawn_interrupted()
               ? error_set(error, EXIT_INTERRUPTED, "interrupted before the first run")
               : began;
}

static bool lacking(const struct detector *detector, struct error *error) {
    return error_set(error, EXIT_LACKING, "%s is not there: %s", detector->name, detector->reason);
}

static bool no_cases(const struct detector *detector, struct error *error) {
    return error_set(error, EXIT_INPUT, "%s judges the twins of cases only", detector->name);
}

static struct gate_target *new_target(struct gate_program *program,
                                      const struct detector *detector) {
    struct gate_target *target = &program->targets[program->target_count++];
    target->detector = detector;
    target->scheduled = false;
    return target;
}

static bool open_sources(const struct gate_options *options, struct gate_program *program,
                         struct race_result *result, struct error *error) {
    struct gate_target reference = {.detector = &detectors[DETECTOR_ID_native]};
    struct run_shape shape;
    for (const char *const *file = options->sources; *file; file++)
        if (access(*file, R_OK) != 0)
            return error_set(error, EXIT_INPUT, "cannot read %s: %s", *file, strerror(errno));
    snprintf(reference.program, sizeof reference.program, "%.4000s/native", program->work);
    set_argv(&reference, options->argv);
    if (!build(options, reference.detector, reference.program, result, error) ||
        !refer_all(program, &reference, &shape, error))
        return false;
    uint32_t wanted = options->detectors ? options->detectors : 1u << DETECTOR_ID_tsan;
    for (size_t i = 0; i < DETECTOR_ID_COUNT; i++) {
        char path[GATE_PATH_BYTES];
        if (!(wanted >> i & 1))
            continue;
        if (detectors[i].kind == DETECTOR_RUST)
            return no_cases(&detectors[i], error);
        if (!detectors[i].available)
            return lacking(&detectors[i], error);
        snprintf(path, sizeof path, "%.4000s/%s", program->work, detectors[i].name);
        if (!build(options, &detectors[i], path, result, error))
            return false;
        if (detectors[i].kind == DETECTOR_STATIC)
            continue;
        struct gate_target *target = new_target(program, &detectors[i]);
        snprintf(target->program, sizeof target->program, "%s", path);
        target->scheduled = i == DETECTOR_ID_tsan;
        set_argv(target, options->argv);
    }
    return true;
}

static bool holds(const char *path, const char *word) {
    struct stat about;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool there = false;
    if (fd >= 0 && fstat(fd, &about) == 0 && about.st_size > 0) {
        void *bytes = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (bytes != MAP_FAILED) {
            there = memmem(bytes, (size_t)about.st_size, word, strlen(word)) != NULL;
            munmap(bytes, (size_t)about.st_size);
        }
    }
    if (fd >= 0)
        close(fd);
    return there;
}

/* What a program that was built by others can be judged by. */
static enum detector_id detector_of(const char *path, const struct run_shape *shape,
                                    struct race_result *result) {
    if (shape->present)
        return DETECTOR_ID_tsan;
    if (holds(path, "__tsan_init")) {
        note(result, "built without tailrace-cc: plain runs only, no schedules; a build with "
                     "CC=tailrace-cc also shows races of rare orders");
        return DETECTOR_ID_tsan;
    }
    if (holds(path, "__asan_init"))
        return DETECTOR_ID_asan;
    if (holds(path, "__msan_init"))
        return DETECTOR_ID_msan;
    note(result,
         "built without a sanitizer: judged by Valgrind's helgrind, which knows neither C11 "
         "atomics nor schedules; a build with CC=tailrace-cc shows much more");
    return DETECTOR_ID_helgrind;
}

static bool open_program(const struct gate_options *options, struct gate_program *program,
                         struct race_result *result, struct error *error) {
    struct gate_target first = {.detector = &detectors[DETECTOR_ID_tsan]};
    struct run_shape shape = {0};
    if (!compilers_look_up(options->argv[0], first.program))
        return error_set(error, EXIT_INPUT, "there is no program %s", options->argv[0]);
    set_argv(&first, options->argv + 1);
    if (!refer_all(program, &first, &shape, error))
        return false;
    /* one that hangs tells no shape, but the run-time has this word in it */
    shape.present = shape.present || holds(first.program, "TAILRACE_RACE_SEED");
    program->points = shape.points;
    program->sync_points = shape.sync_points;
    uint32_t wanted =
        options->detectors ? options->detectors : 1u << detector_of(first.program, &shape, result);
    for (size_t i = 0; i < DETECTOR_ID_COUNT; i++) {
        if (!(wanted >> i & 1))
            continue;
        if (detectors[i].kind == DETECTOR_RUST)
            return no_cases(&detectors[i], error);
        if (detectors[i].kind == DETECTOR_STATIC)
            return error_set(error, EXIT_INPUT, "%s reads sources: it needs --source",
                             detectors[i].name);
        if (detectors[i].kind == DETECTOR_VALGRIND && !detectors[i].available)
            return lacking(&detectors[i], error);
        struct gate_target *target = new_target(program, &detectors[i]);
        *target = first;
        target->detector = &detectors[i];
        target->argv[0] = target->program;
        target->scheduled = shape.present;
    }
    return true;
}

bool gate_program_open(const struct gate_options *options, struct gate_program *program,
                       struct race_result *result, struct error *error) {
    if (!files_temporary(program->work, sizeof program->work, error))
        return false;
    uint32_t probed = options->detectors ? options->detectors
                      : options->sources ? 1u << DETECTOR_ID_tsan
                                         : 1u << DETECTOR_ID_helgrind;
    detectors_probe(probed, program->work);
    bool opened = options->sources ? open_sources(options, program, result, error)
                                   : open_program(options, program, result, error);
    for (uint32_t i = 0; i < program->target_count; i++)
        if (program->targets[i].scheduled)
            program->schedules = SCHEDULE_COUNT;
    program->schedules = program->schedules ? program->schedules : 1;
    return opened;
}

void gate_program_close(struct gate_program *program) {
    if (*program->work)
        files_remove(program->work);
}
