/* SPDX-License-Identifier: MIT */
/* program.c - runs any program under a heap by preload, once, and tells what it took. */
#include "run/program.h"

#include "base/clock.h"
#include "run/said.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define POLL_MS                                                                                    \
    100 /* how late an interrupt or the end of its time may be seen; not its own end               \
         */
#define PRELOAD_BYTES 8192

static double wall_clock_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static bool is_program(const char *path) {
    struct stat about;
    return stat(path, &about) == 0 && S_ISREG(about.st_mode) && access(path, X_OK) == 0;
}

/* Looks through PATH; an empty entry is the current folder. */
static bool look_up(const char *name, char *path, size_t path_bytes) {
    const char *entry = getenv("PATH");
    if (!entry)
        entry = "/usr/local/bin:/usr/bin:/bin";
    for (;; entry++) {
        int length = (int)strcspn(entry, ":");
        snprintf(path, path_bytes, "%.*s/%s", length ? length : 1, length ? entry : ".", name);
        entry += length;
        if (is_program(path) || *entry == '\0')
            return is_program(path);
    }
}

bool program_find(struct program *program, char *const *argv, struct error *error) {
    const char *preload = getenv("LD_PRELOAD"), *slash = strrchr(argv[0], '/');
    program->argv = argv;
    program->preload = preload ? preload : "";
    snprintf(program->name, sizeof program->name, "%s", slash ? slash + 1 : argv[0]);
    said_printable(program->name);
    if (slash)
        snprintf(program->path, sizeof program->path, "%s", argv[0]);
    if (*argv[0] &&
        (slash ? is_program(program->path) : look_up(argv[0], program->path, sizeof program->path)))
        return true;
    char shown[512];
    snprintf(shown, sizeof shown, "%s", argv[0]);
    said_printable(shown);
    return error_set(error, EXIT_INPUT, "there is no program \"%s\"%s", shown,
                     slash ? "" : " in PATH");
}

static void preload(const struct program *program, const struct program_heap *heap,
                    const char *after) {
    const char *parts[] = {heap->library, after, program->preload};
    char all[PRELOAD_BYTES] = "";
    size_t used = 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (*parts[i] && used < sizeof all)
            used +=
                (size_t)snprintf(all + used, sizeof all - used, "%s%s", used ? ":" : "", parts[i]);
    if (used)
        setenv("LD_PRELOAD", all, 1);
    else
        unsetenv("LD_PRELOAD");
}

/* In the child, which has one thread. A terminal's Ctrl-C reaches the parent alone. */
static _Noreturn void become(const struct program *program, const struct program_heap *heap,
                             const char *after, const char *setting, int said) {
    int null = open("/dev/null", O_RDWR);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    dup2(said, STDERR_FILENO);
    close(null);
    preload(program, heap, after);
    if (setting)
        putenv((char *)setting);
    execvp(program->path, program->argv);
    dprintf(STDERR_FILENO, "cannot be run: %s\n", strerror(errno));
    _exit(127);
}

/* True once it has ended; it is left to be waited for. */
static bool has_ended(pid_t pid) {
    siginfo_t info = {0};
    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid;
}

/* Watches until the process has ended; returns true if it had to be killed for its time. */
static bool watch(pid_t pid, const struct program *program, uint64_t begin_ns, int say_fd,
                  char *said) {
    struct pollfd on[2] = {{.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN},
                           {.fd = say_fd, .events = POLLIN}};
    bool late = false;
    while (!has_ended(pid)) {
        poll(on, 2, POLL_MS);
        if (on[1].revents & POLLIN)
            said_listen(say_fd, said);
        else if (on[1].revents & POLLHUP) /* it closed its standard error */
            on[1].fd = -1;
        late = late || (double)(clock_monotonic_ns() - begin_ns) * 1e-9 > program->timeout_s;
        if (late || supervise_interrupted())
            kill(-pid, SIGKILL);
    }
    close(on[0].fd);
    return late;
}

static void judge(const struct program *program, struct program_run *run, const char *said,
                  int ended, bool late) {
    char line[SAID_BYTES], how[128];
    bool killed = WIFSIGNALED(ended);
    if (WIFEXITED(ended) && WEXITSTATUS(ended) == 0 && !late)
        return;
    said_last_line(said, line, sizeof line);
    said_printable(line);
    run->status = late ? RUN_TIMEOUT : RUN_CRASHED;
    if (late)
        snprintf(how, sizeof how, "had not ended after %.3g s", program->timeout_s);
    else if (killed)
        snprintf(how, sizeof how, "was killed by signal %d (%s)", WTERMSIG(ended),
                 strsignal(WTERMSIG(ended)));
    else
        snprintf(how, sizeof how, "ended with exit status %d", WEXITSTATUS(ended));
    snprintf(run->reason, sizeof run->reason, "%s %s%s%s", program->name, how, *line ? ": " : "",
             line);
}

bool program_run(const struct program *program, const struct program_heap *heap, const char *after,
                 const char *setting, struct program_run *run, struct error *error) {
    char said[SAID_BYTES] = "";
    int say[2], ended = 0;
    *run = (struct program_run){.started_at = wall_clock_s()};
    getloadavg(&run->load_average, 1);
    if (supervise_interrupted())
        return error_set(error, EXIT_INTERRUPTED, "interrupted");
    if (pipe2(say, O_CLOEXEC | O_NONBLOCK) != 0)
        return error_set(error, EXIT_LACKING, "cannot make a pipe: %s", strerror(errno));
    fcntl(say[1], F_SETFL, 0); /* the program's end blocks as usual */
    uint64_t begin_ns = clock_monotonic_ns();
    run->pid = fork();
    if (run->pid == 0)
        become(program, heap, after, setting, say[1]);
    close(say[1]);
    bool late = run->pid > 0 && watch(run->pid, program, begin_ns, say[0], said);
    run->wall_s = (double)(clock_monotonic_ns() - begin_ns) * 1e-9;
    if (run->pid > 0) {
        kill(-run->pid, SIGKILL); /* before its number is free */
        while (wait4(run->pid, &ended, 0, &run->usage) < 0 && errno == EINTR)
            ;
        said_listen(say[0], said);
    }
    close(say[0]);
    run->ended_at = wall_clock_s();
    if (run->pid < 0)
        return error_set(error, EXIT_LACKING, "cannot start a process: %s", strerror(errno));
    if (supervise_interrupted())
        return error_set(error, EXIT_INTERRUPTED, "interrupted");
    judge(program, run, said, ended, late);
    return true;
}
