/* SPDX-License-Identifier: MIT */
/* python.c - finds a Python and runs the package in reports/. */
#include "cli/python.h"

#include "cli/commands.h"
#include "run/paths.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORDS_MAX 256
#define PATH_BYTES 8192

static int wait_for(pid_t pid) {
    int status = -1;
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (pid > 0 && WIFSIGNALED(status))
        return 128 + WTERMSIG(status);
    return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_LACKING;
}

/* True if this interpreter runs and has these modules. */
static bool has_modules(const char *python, const char *import) {
    pid_t pid = fork();
    if (pid == 0) {
        if (!freopen("/dev/null", "w", stderr))
            _exit(1);
        execlp(python, python, "-c", import, (char *)NULL);
        _exit(127);
    }
    return wait_for(pid) == 0;
}

/* Looked for once: to load what it must have takes a second. */
static const char *find_python(void) {
    static const char *found;
    static const char *const imports[] = {"import matplotlib, numpy, jinja2", "import sqlite3"};
    const char *candidates[] = {getenv("TAILRACE_PYTHON"), "python3", "/usr/bin/python3"};
    for (size_t k = 0; k < sizeof imports / sizeof *imports; k++)
        for (size_t i = 0; i < sizeof candidates / sizeof *candidates && !found; i++)
            if (candidates[i] && *candidates[i] && has_modules(candidates[i], imports[k]))
                found = candidates[i];
    return found;
}

/* The package's folder, before what the user has there. */
static void set_path(void) {
    const char *known = getenv("PYTHONPATH");
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s%s%s", path_reports(), known && *known ? ":" : "",
             known ? known : "");
    setenv("PYTHONPATH", path, 1);
}

bool python_run(const char *const words[], int out, int *status, struct error *error) {
    const char *argv[WORDS_MAX + 4] = {find_python(), "-m", "tailrace_report"};
    size_t count = 0;
    if (!argv[0])
        return error_set(error, EXIT_LACKING,
                         "no Python 3 was found: install python3, python3-matplotlib, "
                         "python3-numpy and python3-jinja2, or name one in TAILRACE_PYTHON");
    for (; words[count] && count < WORDS_MAX; count++)
        argv[3 + count] = words[count];
    if (words[count])
        return error_set(error, EXIT_INPUT, "more than %d arguments", WORDS_MAX);
    set_path();
    setenv("PYTHONDONTWRITEBYTECODE", "1", 1);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        if (out >= 0 && dup2(out, STDOUT_FILENO) < 0)
            _exit(EXIT_LACKING);
        execvp(argv[0], (char *const *)argv);
        _exit(EXIT_LACKING);
    }
    *status = wait_for(pid);
    return true;
}

int command_python(int argc, char **argv) {
    struct error error;
    int status;
    (void)argc;
    return python_run((const char *const *)argv, -1, &status, &error) ? status : tell_error(&error);
}
