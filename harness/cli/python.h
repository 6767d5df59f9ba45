/* SPDX-License-Identifier: MIT */
/* python.h - the commands whose work is done by the Python package in reports/. */
#ifndef TAILRACE_CLI_PYTHON_H
#define TAILRACE_CLI_PYTHON_H

#include "base/error.h"

/* Runs `python3 -m tailrace_report WORDS…` (NULL ends them) on the standard streams of this
 * process, its output to the file descriptor `out` instead unless that is -1, and waits for its
 * end; its exit status goes to `status`. The interpreter is the first of $TAILRACE_PYTHON, python3
 * and /usr/bin/python3 that has matplotlib, numpy and jinja2, else the first that runs at all.
 * False with a sentence (EXIT_LACKING) where there is none. */
bool python_run(const char *const words[], int out, int *status, struct error *error);

#endif
