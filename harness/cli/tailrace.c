/* SPDX-License-Identifier: MIT */
/* tailrace.c - the program: picks the command. */
#include "cli/commands.h"
#include "run/spawn.h"
#include "run/supervise.h"
#include "version.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static const char help[] =
    "usage: tailrace COMMAND [OPTIONS]      (each command explains itself with --help)\n"
    "\n"
    "What does each way of managing memory do to the tail latency and memory of a threaded C "
    "program?\n"
    "\n"
    "  list           names the scenarios, strategies, heaps or suites\n"
    "  run            measures one cell: a scenario on a strategy and a heap\n"
    "  bench          measures a suite of cells, in random blocks, into a result set\n"
    "  report         writes the report of a result set\n"
    "  compare        holds two result sets, or two arms of one, against each other\n"
    "  compare-heaps  holds any program under several heaps against each other\n"
    "  gate           measures two builds in one job and fails where the head is worse\n"
    "  export         writes a result set in a format that other tools read\n"
    "  history        collects result sets, and shows how each cell changed over commits\n"
    "  race           checks a program for races, or measures what detectors see of seeded bugs\n"
    "  doctor         tells what this machine can tell, and checks the harness against theory\n"
    "\n"
    "Exit status: 0 done, 1 a finding (a race, a crash, a hang), 2 bad arguments or input, 3 "
    "something "
    "that\n"
    "this machine lacks, 130 interrupted.\n";

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
} commands[] = {{"list", command_list},      {"run", command_run},
                {"bench", command_bench},    {"report", command_python},
                {"compare", command_python}, {"compare-heaps", command_compare_heaps},
                {"export", command_python},  {"history", command_python},
                {"gate", command_gate},      {"race", command_race},
                {"doctor", command_doctor}};

static char whole_line[4096];

const char *command_line(void) {
    return whole_line;
}

static void keep_line(int argc, char **argv) {
    size_t used = 0;
    for (int i = 0; i < argc && used < sizeof whole_line; i++)
        used += (size_t)snprintf(whole_line + used, sizeof whole_line - used, "%s%s", i ? " " : "",
                                 i ? argv[i] : "tailrace");
}

int tell_error(const struct error *error) {
    fprintf(stderr, "tailrace: %s\n", error->sentence);
    return error->status;
}

bool refuse_option(int option, const char *command, char **argv, struct error *error) {
    char letter[3] = {'-', (char)optopt, '\0'};
    /* among unknown letters, optind still points at their word; all known options are long */
    bool cluster = option == '?' && optopt > 0 && optopt < 256;
    const char *word = cluster ? letter : argv[optind - 1];
    if (option == ':')
        return error_set(error, EXIT_INPUT, "%s needs a value", word);
    return error_set(error, EXIT_INPUT, "%s has no option %s (`tailrace %s --help`)", command, word,
                     command);
}

static void on_signal(int number) {
    (void)number;
    supervise_interrupt();
    spawn_interrupt();
}

void catch_interrupts(void) {
    struct sigaction action = {.sa_handler = on_signal};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

/* What was printed has reached its reader, or it was not done. */
static int flushed(int status) {
    struct error error;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    error_set(&error, EXIT_INPUT, "cannot write to standard output");
    return tell_error(&error);
}

int main(int argc, char **argv) {
    struct error error;
    keep_line(argc, argv);
    if (argc < 2) {
        fputs("tailrace: no command was given (`tailrace --help` names them)\n", stderr);
        return EXIT_INPUT;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0)
        return flushed(fputs(help, stdout) < 0);
    if (strcmp(argv[1], "--version") == 0)
        return flushed(printf("tailrace %s (%s%s)\n", TAILRACE_COMMIT, TAILRACE_COMPILER,
                              *TAILRACE_SANITIZER ? ", " TAILRACE_SANITIZER : "") < 0);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return flushed(commands[i].run(argc - 1, argv + 1));
    error_set(&error, EXIT_INPUT, "there is no command \"%s\" (`tailrace --help` names them)",
              argv[1]);
    return tell_error(&error);
}
