/* SPDX-License-Identifier: MIT */
/* command_bench.c - `tailrace bench`: a suite into a result set, with progress. */
#include "cli/commands.h"
#include "cli/progress.h"
#include "run/bench.h"
#include "run/supervise.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_BYTES 4096
#define ESTIMATE_FROM_S 300

static const char help[] =
    "usage: tailrace bench [SUITE] [OPTIONS]\n"
    "\n"
    "Measures every cell of a suite (quick), each run in a process of its own, in blocks of random "
    "order,\n"
    "into a result set; prints the folder of it. SUITE is a name from `tailrace list suites` or a "
    "file.\n"
    "\n"
    "  --out DIR         the result set's folder (a new one under results/ beside the program)\n"
    "  --blocks N        instead of the suite's number of blocks\n"
    "  --only PATTERN    only the cells whose name contains PATTERN or matches it as a shell "
    "pattern\n"
    "  --resume          go on with the result set in DIR, with the suite it was begun with\n"
    "\n"
    "Ctrl-C leaves a valid result set, which --resume completes. A run that crashes, hangs or runs "
    "out of\n"
    "memory is a result, and the suite goes on. Exit status: 0 complete, 2 bad arguments or input, "
    "3\n"
    "something this machine lacks, 130 interrupted.\n";

struct arguments {
    const char *suite, *out, *only;
    long blocks; /* 0: the suite's */
    bool resume, help;
};

static bool parse_blocks(const char *text, long *blocks, struct error *error) {
    char *end;
    *blocks = strtol(text, &end, 10);
    if (end == text || *end || *blocks < 1 || *blocks > SUITE_BLOCKS_MAX)
        return error_set(error, EXIT_INPUT,
                         "--blocks takes a whole number from 1 to %d, not \"%s\"", SUITE_BLOCKS_MAX,
                         text);
    return true;
}

static bool parse(struct arguments *to, int argc, char **argv, struct error *error) {
    static const struct option options[] = {
        {"help", no_argument, NULL, 'h'},         {"out", required_argument, NULL, 'o'},
        {"blocks", required_argument, NULL, 'b'}, {"only", required_argument, NULL, 'n'},
        {"resume", no_argument, NULL, 'r'},       {NULL, 0, NULL, 0}};
    int option;
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":", options, NULL)) != -1) {
        if (option == ':' || option == '?')
            return refuse_option(option, "bench", argv, error);
        if (option == 'b' && !parse_blocks(optarg, &to->blocks, error))
            return false;
        to->help = to->help || option == 'h';
        to->resume = to->resume || option == 'r';
        to->out = option == 'o' ? optarg : to->out;
        to->only = option == 'n' ? optarg : to->only;
    }
    if (optind < argc)
        to->suite = argv[optind++];
    if (optind < argc)
        return error_set(error, EXIT_INPUT, "bench takes one suite (`tailrace list suites`)");
    if (to->resume && (!to->out || to->suite || to->only || to->blocks))
        return error_set(
            error, EXIT_INPUT,
            "--resume needs --out DIR and nothing else: the suite is in the result set");
    return true;
}

static bool open_suite(const struct arguments *arguments, struct suite *suite,
                       struct error *error) {
    if (arguments->resume)
        return bench_open(suite, arguments->out, error);
    if (!suite_load(suite, arguments->suite ? arguments->suite : "quick", error))
        return false;
    if (arguments->blocks) {
        suite->blocks = (uint32_t)arguments->blocks;
        json_object_set_new(suite->definition, "blocks", json_integer(arguments->blocks));
    }
    return !arguments->only || suite_keep(suite, arguments->only, error);
}

/* Before what takes more than ESTIMATE_FROM_S begins. */
static void tell_estimate(const struct suite *suite) {
    int minutes = (int)(suite_estimate_s(suite) / 60) + 1;
    if (minutes * 60 > ESTIMATE_FROM_S)
        fprintf(stderr,
                "suite %s: %u cells x %u blocks, about %d h %02d min (Ctrl-C keeps what is "
                "measured, --resume goes on)\n",
                suite->name, suite->cell_count, suite->blocks, minutes / 60, minutes % 60);
}

int command_bench(int argc, char **argv) {
    struct arguments arguments = {0};
    struct suite suite = {0};
    struct error error = {0};
    char folder[PATH_BYTES];
    if (!parse(&arguments, argc, argv, &error))
        return tell_error(&error);
    if (arguments.help)
        return fputs(help, stdout) < 0;
    bool done =
        open_suite(&arguments, &suite, &error) &&
        make_folder(arguments.out, suite.name, arguments.resume, folder, sizeof folder, &error);
    if (done) {
        catch_interrupts();
        tell_estimate(&suite);
        done = bench_run(&suite, folder, command_line(), progress_teller(), &error);
        if (error.status == EXIT_INTERRUPTED)
            error_set(&error, EXIT_INTERRUPTED,
                      "interrupted; go on with: tailrace bench --resume --out %s", folder);
    }
    suite_free(&suite);
    if (!done)
        return tell_error(&error);
    printf("%s\n", folder);
    return 0;
}
