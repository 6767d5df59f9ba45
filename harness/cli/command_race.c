/* SPDX-License-Identifier: MIT */
/* command_race.c - `tailrace race`: the matrix of seeded bugs, or a gate for a program. */
#include "cli/commands.h"
#include "cli/race_files.h"
#include "race/gate.h"
#include "race/matrix.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BAR 24
#define PATH_BYTES 4096

static const char help[] =
    "usage: tailrace race [CASE...] [OPTIONS]             the matrix: seeded bugs x detectors\n"
    "       tailrace race [OPTIONS] -- PROGRAM [ARG...]   a gate for a program\n"
    "       tailrace race [OPTIONS] --source FILE.c... [-- ARG...]   the same, built here\n"
    "\n"
    "  --detector D      only this detector (`tailrace list detectors`); may be given again\n"
    "  --runs N          runs of each program under each detector and schedule (matrix), or of "
    "each\n"
    "                    detector (gate)\n"
    "  --out DIR         the matrix's result set (a new one under results/ beside the program), "
    "or\n"
    "                    the gate's race.json, race.sarif, race.xml (JUnit) and race.md\n"
    "  --jobs N          programs run side by side (as many as processors)\n"
    "\n"
    "Matrix: each CASE of `tailrace list cases` (all) with its fixed twin. Prints the folder; "
    "`tailrace\n"
    "report` draws it.\n"
    "  --resume          go on with the result set in --out DIR\n"
    "\n"
    "Gate: runs the program under what it was built for, best by CC=tailrace-cc, which adds "
    "schedules;\n"
    "sources are built that way (CPPFLAGS, CFLAGS, LDFLAGS and LDLIBS hold). Exit status 1 if "
    "anything new\n"
    "was found.\n"
    "  --confidence C --assume-p P   as many runs as show, with confidence C (0.999), what shows "
    "in a\n"
    "                    share P (0.05) of runs, where --runs is not given\n"
    "  --budget SECONDS  no run begins later than this (45, none with --runs)\n"
    "  --replay SEED     only the schedule of this seed, once or --runs times\n"
    "  --baseline FILE   findings of this race.json are known: only others fail\n"
    "  --suppressions FILE   see README: each with its reason and the day on which it expires\n"
    "  --json FILE|-     the result as JSON\n"
    "\n"
    "Exit status: 0 nothing found, 1 a finding (gate), 2 bad arguments or input, 3 something this\n"
    "machine lacks, 130 interrupted (what was found is told).\n";

struct arguments {
    struct gate_options gate;
    struct matrix_options matrix;
    struct race_files files;
    const char *sources[GATE_SOURCES_MAX + 1];
    uint32_t source_count, word_count;
    const char *words[MATRIX_CASES_MAX];
    char **program; /* what follows -- */
    bool help, gate_only, matrix_only;
};

static bool number(const char *option, const char *text, double low, double high, bool whole,
                   double *value, struct error *error) {
    char *end;
    errno = 0;
    *value = strtod(text, &end);
    if (end != text && !*end && *value >= low && *value <= high &&
        (!whole || *value == floor(*value)))
        return true;
    return error_set(error, EXIT_INPUT, "%s takes a %snumber from %g to %g, not \"%s\"", option,
                     whole ? "whole " : "", low, high, text);
}

static bool add_detector(struct arguments *to, const char *name, struct error *error) {
    const struct detector *one = detector_find(name);
    if (!one)
        return error_set(error, EXIT_INPUT,
                         "there is no detector \"%s\" (`tailrace list detectors`)", name);
    to->gate.detectors |= 1u << detector_id(one);
    return true;
}

static bool add_source(struct arguments *to, const char *path, struct error *error) {
    if (to->source_count == GATE_SOURCES_MAX)
        return error_set(error, EXIT_INPUT, "--source takes at most %d files", GATE_SOURCES_MAX);
    to->sources[to->source_count++] = path;
    return true;
}

static bool parse_seed(struct arguments *to, const char *text, struct error *error) {
    char *end;
    errno = 0;
    to->gate.replay = strtoull(text, &end, 10);
    to->gate.replaying = true;
    if (end != text && !*end && errno == 0 && *text != '-' &&
        seed_schedule(to->gate.replay) < SCHEDULE_COUNT)
        return true;
    return error_set(error, EXIT_INPUT, "--replay takes a seed that a finding names, not \"%s\"",
                     text);
}

static bool take_option(struct arguments *to, int option, struct error *error) {
    double value = 0;
    to->gate_only = to->gate_only || strchr("cpbByuJ", option);
    to->matrix_only = to->matrix_only || option == 'e';
    switch (option) {
    case 'd':
        return add_detector(to, optarg, error);
    case 's':
        return add_source(to, optarg, error);
    case 'y':
        return parse_seed(to, optarg, error);
    case 'r':
        if (!number("--runs", optarg, 1, 10000, true, &value, error))
            return false;
        to->gate.runs = to->matrix.runs = (uint32_t)value;
        return true;
    case 'j':
        if (!number("--jobs", optarg, 1, 64, true, &value, error))
            return false;
        to->gate.jobs = to->matrix.jobs = (uint32_t)value;
        return true;
    case 'c':
        return number("--confidence", optarg, 0.01, 0.999999, false, &to->gate.confidence, error);
    case 'p':
        return number("--assume-p", optarg, 1e-6, 1, false, &to->gate.assume_p, error);
    case 'b':
        return number("--budget", optarg, 0.1, 1e6, false, &to->gate.budget_s, error);
    default:
        to->help = to->help || option == 'h';
        to->matrix.resume = to->matrix.resume || option == 'e';
        to->files.out = option == 'o' ? optarg : to->files.out;
        to->files.baseline = option == 'B' ? optarg : to->files.baseline;
        to->files.suppressions = option == 'u' ? optarg : to->files.suppressions;
        to->files.json = option == 'J' ? optarg : to->files.json;
        return true;
    }
}

static bool parse_options(struct arguments *to, int argc, char **argv, struct error *error) {
    static const struct option options[] = {{"help", no_argument, NULL, 'h'},
                                            {"detector", required_argument, NULL, 'd'},
                                            {"source", required_argument, NULL, 's'},
                                            {"runs", required_argument, NULL, 'r'},
                                            {"out", required_argument, NULL, 'o'},
                                            {"jobs", required_argument, NULL, 'j'},
                                            {"resume", no_argument, NULL, 'e'},
                                            {"confidence", required_argument, NULL, 'c'},
                                            {"assume-p", required_argument, NULL, 'p'},
                                            {"budget", required_argument, NULL, 'b'},
                                            {"baseline", required_argument, NULL, 'B'},
                                            {"suppressions", required_argument, NULL, 'u'},
                                            {"replay", required_argument, NULL, 'y'},
                                            {"json", required_argument, NULL, 'J'},
                                            {NULL, 0, NULL, 0}};
    int option;
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":", options, NULL)) != -1) {
        if (option == ':' || option == '?')
            return refuse_option(option, "race", argv, error);
        if (!take_option(to, option, error))
            return false;
    }
    for (; optind < argc && to->word_count < MATRIX_CASES_MAX - 1; optind++)
        to->words[to->word_count++] = argv[optind];
    return true;
}

/* What stands before -- is ours. */
static bool parse(struct arguments *to, int argc, char **argv, struct error *error) {
    int ours = 0;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    to->gate.confidence = GATE_CONFIDENCE;
    to->gate.assume_p = GATE_ASSUMED_P;
    to->gate.jobs = to->matrix.jobs = processors > 0 ? (uint32_t)processors : 1;
    while (ours < argc && strcmp(argv[ours], "--") != 0)
        ours++;
    if (ours < argc) {
        to->program = argv + ours + 1;
        argv[ours] = NULL;
    }
    if (!parse_options(to, ours, argv, error) || to->help)
        return to->help;
    for (uint32_t i = 0; to->source_count && i < to->word_count; i++)
        if (!add_source(to, to->words[i], error))
            return false;
    bool gate = to->source_count || to->program;
    if (to->program && !to->source_count && (!to->program[0] || to->word_count))
        return error_set(error, EXIT_INPUT,
                         "a gate takes a program, -- PROGRAM [ARG...], and no cases");
    if (!gate && to->gate_only)
        return error_set(error, EXIT_INPUT,
                         "this option needs a program: -- PROGRAM, or --source FILE.c");
    if (gate && to->matrix_only)
        return error_set(error, EXIT_INPUT, "--resume goes with the matrix only");
    return true;
}

static void bar(uint32_t done, uint32_t planned) {
    int filled = planned ? (int)(BAR * (uint64_t)done / planned) : BAR;
    fprintf(stderr, "\r\033[K[%.*s%*s] %u/%u", filled, "########################", BAR - filled, "",
            done, planned);
}

static void tell_cell(const struct matrix_progress *p) {
    if (!isatty(STDERR_FILENO)) {
        fprintf(stderr, "cell %u/%u %s: %s\n", p->done, p->planned, p->cell, p->verdict);
        return;
    }
    bar(p->done, p->planned);
    int left_s = p->done ? (int)(p->spent_s / p->done * (p->planned - p->done)) : 0;
    fprintf(stderr, ", about %d:%02d left  %s: %s%s", left_s / 60, left_s % 60, p->cell, p->verdict,
            p->done == p->planned ? "\n" : "");
}

#define TELL_EVERY 10 /* runs, where no terminal shows a bar */

static void tell_run(uint32_t done, uint32_t planned, uint32_t findings) {
    bool terminal = isatty(STDERR_FILENO), last = done == planned;
    if (terminal) {
        bar(done, planned);
        fprintf(stderr, " runs, %u finding%s%s", findings, findings == 1 ? "" : "s",
                last ? "\n" : "");
    } else if (done % TELL_EVERY == 0 || last)
        fprintf(stderr, "run %u/%u, findings: %u\n", done, planned, findings);
}

static bool choose_cases(struct arguments *arguments, struct error *error) {
    struct matrix_options *options = &arguments->matrix;
    size_t count = 0;
    if (options->resume)
        return arguments->files.out && !arguments->word_count && !arguments->gate.detectors
                   ? matrix_reopen(options, arguments->files.out, error)
                   : error_set(error, EXIT_INPUT,
                               "--resume needs --out DIR, and no cases or detectors: they are in "
                               "the result set");
    for (size_t i = 0; !arguments->word_count && i < race_case_count; i++)
        options->cases[count++] = &race_cases[i];
    for (uint32_t i = 0; i < arguments->word_count; i++) {
        options->cases[count] = case_find(arguments->words[i]);
        if (!options->cases[count++])
            return error_set(error, EXIT_INPUT, "there is no case \"%s\" (`tailrace list cases`)",
                             arguments->words[i]);
    }
    options->detectors =
        arguments->gate.detectors ? arguments->gate.detectors : (1u << DETECTOR_ID_COUNT) - 1;
    return true;
}

static int run_matrix(struct arguments *arguments) {
    struct error error = {0};
    struct matrix_summary summary;
    char folder[PATH_BYTES];
    if (!choose_cases(arguments, &error) ||
        !make_folder(arguments->files.out, "race", arguments->matrix.resume, folder, sizeof folder,
                     &error))
        return tell_error(&error);
    arguments->matrix.out = folder;
    arguments->matrix.command = command_line();
    arguments->matrix.tell = tell_cell;
    catch_interrupts();
    spawn_begin();
    if (!matrix_run(&arguments->matrix, &summary, &error))
        return tell_error(&error);
    fprintf(stderr,
            "not as the cases say: %u cells missed their defect, %u reported a correct program, "
            "%u twins in Rust differ\n",
            summary.missed, summary.false_alarms, summary.rust_differs);
    printf("%s\n", folder);
    return 0;
}

static int run_gate(struct arguments *arguments) {
    struct error error = {0};
    struct race_result result = {0};
    char *const none[] = {NULL};
    arguments->gate.argv = arguments->program ? arguments->program : none;
    arguments->gate.sources = arguments->source_count ? arguments->sources : NULL;
    arguments->gate.tell = tell_run;
    catch_interrupts();
    spawn_begin();
    bool told = gate_run(&arguments->gate, &result, &error) &&
                race_files_write(&arguments->files, &arguments->gate, &result, &error);
    int status = !told                  ? tell_error(&error)
                 : spawn_interrupted()  ? EXIT_INTERRUPTED
                 : race_failed(&result) ? EXIT_FINDING
                                        : 0;
    gate_free(&result);
    return status;
}

int command_race(int argc, char **argv) {
    static struct arguments arguments;
    struct error error = {0};
    if (!parse(&arguments, argc, argv, &error))
        return tell_error(&error);
    if (arguments.help)
        return fputs(help, stdout) < 0;
    return arguments.source_count || arguments.program ? run_gate(&arguments)
                                                       : run_matrix(&arguments);
}
