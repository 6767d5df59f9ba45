/* SPDX-License-Identifier: MIT */
/* commands.h - the commands of tailrace; each takes its own arguments and returns the exit status.
 */
#ifndef TAILRACE_CLI_COMMANDS_H
#define TAILRACE_CLI_COMMANDS_H

#include "base/error.h"

#include <stddef.h>

int command_list(int argc, char **argv);
int command_run(int argc, char **argv);
int command_bench(int argc, char **argv);
int command_compare_heaps(int argc, char **argv);
int command_doctor(int argc, char **argv);
int command_gate(int argc, char **argv);
int command_race(int argc, char **argv);

/* The commands that the Python package in reports/ does. */
int command_python(int argc, char **argv);

/* Tells the sentence of an error on standard error and returns its exit status. */
int tell_error(const struct error *error);

/* For a getopt_long that returned `option`, ':' or '?' : says what is wrong with the word it is at,
 * and returns false. */
bool refuse_option(int option, const char *command, char **argv, struct error *error);

/* The whole command line, as it is put into results. */
const char *command_line(void);

/* Ctrl-C and SIGTERM end the run under way, and nothing else, until the next call. */
void catch_interrupts(void);

/* The folder of a result set: out as given, or where that is NULL a new one named after suite and
 * time. Makes it with its parents, and refuses one that holds a result set unless that is resumed.
 */
bool make_folder(const char *out, const char *suite, bool resume, char *folder, size_t folder_bytes,
                 struct error *error);

#endif
