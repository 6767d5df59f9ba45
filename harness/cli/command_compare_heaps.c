/* SPDX-License-Identifier: MIT */
/* command_compare_heaps.c - `tailrace compare-heaps`: any program under each heap, compared. */
#include "cli/commands.h"
#include "cli/progress.h"
#include "cli/python.h"
#include "run/program_check.h"
#include "run/program_set.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH_BYTES 4096
#define BLOCKS 10
#define TIMEOUT_S 600
#define WARMUP_MAX 1000

static const char help[] =
    "usage: tailrace compare-heaps [OPTIONS] -- PROGRAM ARGS...\n"
    "\n"
    "Runs any program under each heap by preload, in blocks of random order, into a result set, "
    "and prints\n"
    "wall time, processor time, highest resident memory and page faults under each heap, and the "
    "ratio to the\n"
    "first heap with its interval. Standard input and output of the program are /dev/null.\n"
    "\n"
    "  --heap H          a name from `tailrace list heaps` or a library's path; may be given "
    "several times,\n"
    "                    the others are held against the first (glibc, and all that are "
    "installed)\n"
    "  --blocks N        runs under each heap (10; intervals need 7 at least)\n"
    "  --warmup N        runs under each heap that are not recorded (1); the first of them finds "
    "out whether\n"
    "                    the heap serves malloc in the program\n"
    "  --hlog FILE       the program writes an HdrHistogram log (in ns) to FILE in each run: its "
    "latency is\n"
    "                    compared as well; FILE is moved into the result set\n"
    "  --timeout S       after which a run counts as hung (600)\n"
    "  --out DIR         the result set's folder (a new one under results/ beside the program)\n"
    "  --markdown        prints Markdown\n"
    "\n"
    "Processor time and faults are those of the program and of all children that it waited for, "
    "memory is\n"
    "that of the largest of them. A run that fails, or does not end, is worse than any other. "
    "Exit status: 0\n"
    "done, 2 bad arguments, a program that is not there, always fails or takes no heap by "
    "preload, 3 a heap\n"
    "that is not installed, 130 interrupted (what is measured is kept, and shown where it can "
    "be).\n";

struct arguments {
    struct program program;
    const char *out;
    bool markdown, help;
};

static bool parse_number(const char *name, double low, double high, double *to,
                         struct error *error) {
    char *end;
    *to = strtod(optarg, &end);
    if (end == optarg || *end || !(*to >= low && *to <= high))
        return error_set(error, EXIT_INPUT, "--%s takes a number from %g to %g, not \"%s\"", name,
                         low, high, optarg);
    return true;
}

static bool parse_whole(const char *name, uint32_t high, uint32_t *to, struct error *error) {
    double number;
    if (!parse_number(name, 1, high, &number, error))
        return false;
    *to = (uint32_t)number;
    return number == floor(number) ||
           error_set(error, EXIT_INPUT, "--%s takes a whole number, not \"%s\"", name, optarg);
}

static bool add_heap(struct program *program, const char *name, struct error *error) {
    struct cell cell = {0};
    if (!cell_set_heap(&cell, name, error))
        return false;
    if (program->heap_count == PROGRAM_HEAPS_MAX)
        return error_set(error, EXIT_INPUT, "--heap can be given %d times at most",
                         PROGRAM_HEAPS_MAX);
    for (uint32_t i = 0; i < program->heap_count; i++)
        if (strcmp(program->heaps[i].name, cell.heap) == 0)
            return error_set(error, EXIT_INPUT, "the heap %s is given twice", cell.heap);
    struct program_heap *heap = &program->heaps[program->heap_count++];
    snprintf(heap->name, sizeof heap->name, "%s", cell.heap);
    snprintf(heap->library, sizeof heap->library, "%s", cell.heap_path);
    return true;
}

/* All that are installed; the others are told. */
static bool add_heaps(struct program *program, struct error *error) {
    for (size_t i = 0; i < heap_count; i++) {
        error->status = 0;
        if (!add_heap(program, heaps[i].name, error) && error->status != EXIT_LACKING)
            return false;
        if (error->status)
            fprintf(stderr, "left out: %s\n", error->sentence);
    }
    error->status = 0;
    return true;
}

/* What is there already is not ours to take away. */
static bool take_log(struct program *program, struct error *error) {
    program->hlog = optarg;
    return access(optarg, F_OK) != 0 ||
           error_set(error, EXIT_INPUT, "%s is there already, and would be replaced", optarg);
}

static bool take_option(struct arguments *to, int option, struct error *error) {
    struct program *program = &to->program;
    to->help = to->help || option == 'h';
    to->markdown = to->markdown || option == 'm';
    to->out = option == 'o' ? optarg : to->out;
    return (option != 'p' || add_heap(program, optarg, error)) &&
           (option != 'b' || parse_whole("blocks", SUITE_BLOCKS_MAX, &program->blocks, error)) &&
           (option != 'w' || parse_whole("warmup", WARMUP_MAX, &program->warmup, error)) &&
           (option != 't' || parse_number("timeout", 0.1, 1e6, &program->timeout_s, error)) &&
           (option != 'l' || take_log(program, error));
}

static bool parse(struct arguments *to, int argc, char **argv, struct error *error) {
    static const struct option options[] = {{"help", no_argument, NULL, 'h'},
                                            {"heap", required_argument, NULL, 'p'},
                                            {"blocks", required_argument, NULL, 'b'},
                                            {"warmup", required_argument, NULL, 'w'},
                                            {"timeout", required_argument, NULL, 't'},
                                            {"hlog", required_argument, NULL, 'l'},
                                            {"out", required_argument, NULL, 'o'},
                                            {"markdown", no_argument, NULL, 'm'},
                                            {NULL, 0, NULL, 0}};
    int option;
    opterr = 0;
    while ((option = getopt_long(argc, argv, "+:", options, NULL)) != -1) {
        if (option == ':' || option == '?')
            return refuse_option(option, "compare-heaps", argv, error);
        if (!take_option(to, option, error))
            return false;
    }
    if (to->help)
        return true;
    if (optind == argc)
        return error_set(error, EXIT_INPUT,
                         "compare-heaps takes a program (`tailrace compare-heaps --help`)");
    return program_find(&to->program, argv + optind, error) &&
           (to->program.heap_count || add_heaps(&to->program, error)) &&
           (to->program.heap_count > 1 ||
            error_set(error, EXIT_INPUT, "one heap alone cannot be compared: name another"));
}

/* What there is of the result set, by the Python package. */
static int show(const struct arguments *arguments, const char *folder, struct error *error) {
    const char *words[] = {"compare-heaps", folder, arguments->markdown ? "--markdown" : NULL,
                           NULL};
    int status;
    return python_run(words, -1, &status, error) ? status : tell_error(error);
}

int command_compare_heaps(int argc, char **argv) {
    static struct arguments arguments = {
        .program = {.blocks = BLOCKS, .warmup = 1, .timeout_s = TIMEOUT_S, .seed = 1}};
    struct error error = {0};
    char folder[PATH_BYTES];
    uint32_t whole = 0;
    if (!parse(&arguments, argc, argv, &error))
        return tell_error(&error);
    if (arguments.help)
        return fputs(help, stdout) < 0;
    catch_interrupts();
    if (!program_check(&arguments.program, progress_teller(), &error) ||
        !make_folder(arguments.out, "compare-heaps", false, folder, sizeof folder, &error))
        return tell_error(&error);
    if (program_measure(&arguments.program, folder, command_line(), progress_teller(), &whole,
                        &error))
        return show(&arguments, folder, &error);
    int status = error.status;
    if (isatty(STDERR_FILENO))
        fputc('\n', stderr); /* behind the bar */
    if (status == EXIT_INTERRUPTED)
        error_set(&error, status, "interrupted after %u whole blocks of %u, which are in %s", whole,
                  arguments.program.blocks, folder);
    tell_error(&error);
    if (status == EXIT_INTERRUPTED && whole > 0)
        show(&arguments, folder, &error);
    return status;
}
