/* SPDX-License-Identifier: MIT */
/* command_gate.c - `tailrace gate`: two builds in one job, and whether the head is worse. */
#include "cli/commands.h"
#include "cli/progress.h"
#include "cli/python.h"
#include "gate/trial.h"
#include "run/spawn.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH_BYTES 4096
#define BUDGET_MINUTES 4.0
#define BUDGET_MINUTES_MAX 1440.0

static const char help[] =
    "usage: tailrace gate --baseline SIDE --head SIDE [OPTIONS]\n"
    "       tailrace gate --judge DIR... [--resample N]\n"
    "\n"
    "Runs two builds in one job, in random blocks of baseline, head and the baseline once more "
    "(A/A), and\n"
    "fails where the head is worse by more than the margin and fresh blocks confirm it. SIDE is a "
    "build's\n"
    "folder (it holds tailrace), or KEY=VALUE,... with build, strategy, heap and tune (tune=K=V), "
    "as in\n"
    "heap=jemalloc.\n"
    "\n"
    "  --suite S           which cells (gate): a name from `tailrace list suites` or a file\n"
    "  --metric M          what is gated; may be given several times (service-p50, service-p99,\n"
    "                      service-p99.9 and p99.9)\n"
    "  --budget-minutes M  about how long it may take (4); decides the number of blocks\n"
    "  --out DIR           the result set's folder (a new one under results/ beside the program)\n"
    "  --judge DIR         judges again what a gate measured; with --resample N tells how often N "
    "gates of\n"
    "                      runs drawn from gates of a build against its copy would fail\n"
    "\n"
    "Heap allocations and bytes per request are gated as well, in runs of their own that count "
    "them.\n"
    "Writes gate.json, gate.md and gate.xml (JUnit) beside the runs. Exit status: 0 passed, 1 "
    "failed, 2 bad\n"
    "arguments or input, 3 something this machine lacks, 130 interrupted.\n";

static const char *const standard_metrics[] = {"service-p50", "service-p99", "service-p99.9",
                                               "p99.9"};

struct arguments {
    const char *baseline, *head, *suite, *out;
    const char *metrics[TRIAL_METRICS_MAX];
    size_t metric_count;
    double minutes;
    bool judge, help;
};

static bool set(struct arguments *to, int option, struct error *error) {
    char *end;
    if (option == 'm' && to->metric_count == TRIAL_METRICS_MAX)
        return error_set(error, EXIT_INPUT, "at most %d --metric", TRIAL_METRICS_MAX);
    if (option == 'm')
        to->metrics[to->metric_count++] = optarg;
    to->baseline = option == 'b' ? optarg : to->baseline;
    to->head = option == 'e' ? optarg : to->head;
    to->suite = option == 's' ? optarg : to->suite;
    to->out = option == 'o' ? optarg : to->out;
    if (option == 't') {
        to->minutes = strtod(optarg, &end);
        if (end == optarg || *end || !(to->minutes > 0) || to->minutes > BUDGET_MINUTES_MAX)
            return error_set(error, EXIT_INPUT,
                             "--budget-minutes takes minutes above 0 and up to %.0f, not \"%s\"",
                             BUDGET_MINUTES_MAX, optarg);
    }
    return true;
}

static bool parse(struct arguments *to, int argc, char **argv, struct error *error) {
    static const struct option options[] = {
        {"help", no_argument, NULL, 'h'},         {"baseline", required_argument, NULL, 'b'},
        {"head", required_argument, NULL, 'e'},   {"suite", required_argument, NULL, 's'},
        {"metric", required_argument, NULL, 'm'}, {"budget-minutes", required_argument, NULL, 't'},
        {"out", required_argument, NULL, 'o'},    {NULL, 0, NULL, 0}};
    int option;
    *to = (struct arguments){.suite = "gate", .minutes = BUDGET_MINUTES};
    to->judge = argc > 1 && strcmp(argv[1], "--judge") == 0;
    opterr = 0;
    while (!to->judge && (option = getopt_long(argc, argv, ":", options, NULL)) != -1) {
        if (option == ':' || option == '?')
            return refuse_option(option, "gate", argv, error);
        to->help = to->help || option == 'h';
        if (!set(to, option, error))
            return false;
    }
    if (to->judge || to->help)
        return true;
    if (!to->baseline || !to->head || optind < argc)
        return error_set(error, EXIT_INPUT,
                         "gate takes --baseline and --head (`tailrace gate --help`)");
    for (; to->metric_count < sizeof standard_metrics / sizeof *standard_metrics &&
           (to->metric_count == 0 || to->metrics[0] == standard_metrics[0]);
         to->metric_count++)
        to->metrics[to->metric_count] = standard_metrics[to->metric_count];
    return true;
}

/* Runs the deciding half with its output to a file, and takes the word that it says. */
static bool decide(const char *folder, int look, enum trial_word *word, struct error *error) {
    static const char *const names[] = {"pass", "continue", "confirm"};
    char number[16], said[32] = "";
    int status;
    FILE *file = tmpfile();
    if (!file)
        return error_set(error, EXIT_LACKING, "cannot make a temporary file");
    snprintf(number, sizeof number, "%d", look);
    const char *const words[] = {"gate", folder, "--look", number, NULL};
    bool ran = python_run(words, fileno(file), &status, error);
    rewind(file);
    bool told = ran && status == 0 && fgets(said, sizeof said, file);
    fclose(file);
    if (!ran)
        return false;
    said[strcspn(said, "\n")] = '\0';
    for (size_t i = 0; told && i < sizeof names / sizeof *names; i++)
        if (strcmp(said, names[i]) == 0) {
            *word = (enum trial_word)i;
            return true;
        }
    return error_set(error, status ? status : EXIT_LACKING, "look %d could not be judged", look);
}

/* A gate's metrics are known to the deciding half: asks it before anything is measured. */
static bool check_metrics(const struct arguments *arguments, struct error *error) {
    const char *words[TRIAL_METRICS_MAX + 3] = {"gate", "--check-metrics"};
    int status;
    for (size_t i = 0; i < arguments->metric_count; i++)
        words[2 + i] = arguments->metrics[i];
    if (!python_run(words, -1, &status, error))
        return false;
    *error = (struct error){.status = status}; /* it has said why */
    return status == 0;
}

static bool measure(const struct arguments *arguments, struct suite *suite, char *folder,
                    struct error *error) {
    struct trial trial = {.suite = suite,
                          .metric_count = arguments->metric_count,
                          .budget_s = arguments->minutes * 60,
                          .folder = folder,
                          .command = command_line(),
                          .tell = progress_teller(),
                          .decide = decide};
    memcpy(trial.metrics, arguments->metrics, sizeof trial.metrics);
    if (!side_parse(&trial.sides[0], "baseline", arguments->baseline, error) ||
        !side_parse(&trial.sides[1], "head", arguments->head, error) ||
        !side_parse(&trial.sides[2], "again", arguments->baseline, error) ||
        !suite_load(suite, arguments->suite, error) || !check_metrics(arguments, error) ||
        !make_folder(arguments->out, "gate", false, folder, PATH_BYTES, error))
        return false;
    catch_interrupts();
    spawn_begin();
    bool ran = trial_run(&trial, error);
    if (error->status == EXIT_INTERRUPTED)
        error_set(error, EXIT_INTERRUPTED, "interrupted; what was measured is in %.900s", folder);
    return ran;
}

int command_gate(int argc, char **argv) {
    struct arguments arguments;
    struct suite suite = {0};
    struct error error = {0};
    char folder[PATH_BYTES];
    int status;
    if (!parse(&arguments, argc, argv, &error))
        return tell_error(&error);
    if (arguments.help)
        return fputs(help, stdout) < 0;
    if (arguments.judge) {
        argv[1] = argv[0];
        return command_python(argc - 1, argv + 1);
    }
    bool ran = measure(&arguments, &suite, folder, &error);
    suite_free(&suite);
    const char *const words[] = {"gate", folder, "--final", NULL};
    ran = ran && python_run(words, -1, &status, &error);
    return ran ? status : *error.sentence ? tell_error(&error) : error.status;
}
