/* SPDX-License-Identifier: MIT */
/* command_report.c - `tailrace report`: hands a result set to the Python package in reports/. */
#include "cli/commands.h"
#include "run/paths.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char help[] =
    "usage: tailrace report DIR\n"
    "\n"
    "Writes index.html (one file, nothing else needed to read it) and each figure as PNG and SVG "
    "into the\n"
    "result set's folder, and prints the page's path. Needs a Python 3 with matplotlib, numpy and "
    "jinja2:\n"
    "the first of $TAILRACE_PYTHON, python3 and /usr/bin/python3 that has them.\n";

/* True if this interpreter exists and has what the report needs. */
static bool has_modules(const char *python) {
    int status = -1;
    pid_t pid = fork();
    if (pid == 0) {
        if (!freopen("/dev/null", "w", stderr))
            _exit(1);
        execlp(python, python, "-c", "import matplotlib, numpy, jinja2", (char *)NULL);
        _exit(127);
    }
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool find_python(const char **python, struct error *error) {
    const char *candidates[] = {getenv("TAILRACE_PYTHON"), "python3", "/usr/bin/python3"};
    for (size_t i = 0; i < sizeof candidates / sizeof *candidates; i++)
        if (candidates[i] && *candidates[i] && has_modules(candidates[i])) {
            *python = candidates[i];
            return true;
        }
    return error_set(
        error, EXIT_LACKING,
        "no Python 3 with matplotlib, numpy and jinja2 was found: install python3-matplotlib, "
        "python3-numpy and python3-jinja2, or name one in TAILRACE_PYTHON");
}

int command_report(int argc, char **argv) {
    struct error error;
    const char *python = NULL;
    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return fputs(help, stdout) < 0;
    if (argc != 2 || *argv[1] == '-') {
        error_set(&error, EXIT_INPUT, "report takes one folder (`tailrace report --help`)");
        return tell_error(&error);
    }
    char manifest[4200];
    snprintf(manifest, sizeof manifest, "%s/manifest.json", argv[1]);
    if (access(manifest, R_OK) != 0) {
        error_set(&error, EXIT_INPUT, "%s holds no result set (cannot read %s)", argv[1], manifest);
        return tell_error(&error);
    }
    if (!find_python(&python, &error))
        return tell_error(&error);
    setenv("PYTHONPATH", path_reports(), 1);
    setenv("PYTHONDONTWRITEBYTECODE", "1", 1);
    fflush(stdout);
    execlp(python, python, "-m", "tailrace_report", argv[1], (char *)NULL);
    error_set(&error, EXIT_LACKING, "cannot start %s: %s", python, strerror(errno));
    return tell_error(&error);
}
