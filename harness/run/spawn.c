/* SPDX-License-Identifier: MIT */
/* spawn.c - runs a program to its end, or ends it, and tells how. */
#include "run/spawn.h"

#include "base/clock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define POLL_MS 50
#define BUSY_SHARE 0.1  /* of one processor, over the last part of the time: it computes */
#define BUSY_TIMES 5    /* as long may it, if it computes */
#define REAP_ROUNDS 100 /* at 2 ms */
#define GRACE_ROUNDS 50 /* of these: a symbolizer ends by itself once its program has */
#define PROCESSES_MAX 64
#define SCANS_EMPTY 2 /* in one, a process may be missed that was forked while /proc was read */
#define ENVIRONMENT_BYTES 65536
#define MARK "TAILRACE_RACE_RUN"

static volatile sig_atomic_t interrupted;
static _Atomic(uint32_t) runs_started;

void spawn_interrupt(void) {
    interrupted = 1;
}
bool spawn_interrupted(void) {
    return interrupted;
}

void spawn_begin(void) {
    prctl(PR_SET_CHILD_SUBREAPER, 1);
}

/* The environment of the program: ours, with the settings and the mark over it. NULL without
 * memory. The strings are not copied. */
static char **environment(const struct spawn_request *request, char *mark) {
    extern char **environ;
    size_t count = 0, used = 0, settings = 0;
    while (environ[count])
        count++;
    while (settings < SPAWN_SETTINGS_MAX && request->settings[settings])
        settings++;
    char **all = calloc(count + settings + 2, sizeof *all);
    for (size_t i = 0; all && i < count; i++) {
        bool over = strncmp(environ[i], MARK "=", sizeof MARK) == 0;
        size_t name = strcspn(environ[i], "=") + 1;
        for (size_t j = 0; j < settings; j++)
            over = over || strncmp(environ[i], request->settings[j], name) == 0;
        if (!over)
            all[used++] = environ[i];
    }
    for (size_t j = 0; all && j < settings; j++)
        all[used++] = (char *)request->settings[j];
    if (all)
        all[used] = mark;
    return all;
}

/* In the child of a threaded process: only calls that are safe there. */
static _Noreturn void become(const struct spawn_request *request, char **all, int said,
                             int failed) {
    sigset_t none;
    int null = open("/dev/null", O_RDWR);
    setpgid(0, 0);
    if (request->fixed_addresses)
        personality(ADDR_NO_RANDOMIZE);
    dup2(null, STDIN_FILENO);
    dup2(request->keep_output ? said : null, STDOUT_FILENO);
    dup2(said, STDERR_FILENO);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    execvpe(request->argv[0], request->argv, all);
    int why = errno;
    if (write(failed, &why, sizeof why) != sizeof why)
        _exit(126);
    _exit(127);
}

static void listen(int fd, struct spawn_result *result) {
    char text[16384];
    ssize_t length;
    while ((length = read(fd, text, sizeof text)) > 0) {
        size_t room = SPAWN_SAID_BYTES - 1 - result->said_length;
        size_t taken = (size_t)length < room ? (size_t)length : room;
        memcpy(result->said + result->said_length, text, taken);
        result->said_length += taken;
    }
}

static bool marked(const char *name, const char *mark) {
    static _Thread_local char text[ENVIRONMENT_BYTES];
    char path[300];
    snprintf(path, sizeof path, "/proc/%s/environ", name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? 0 : read(fd, text, sizeof text);
    if (fd >= 0)
        close(fd);
    return length > 0 && memmem(text, (size_t)length, mark, strlen(mark) + 1) != NULL;
}

/* What carries the mark: that which left the process group has it still. */
static uint32_t find_marked(const char *mark, pid_t pids[], uint32_t room) {
    DIR *processes = opendir("/proc");
    uint32_t count = 0;
    for (struct dirent *entry; processes && (entry = readdir(processes));)
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' && count < room &&
            marked(entry->d_name, mark))
            pids[count++] = (pid_t)atoi(entry->d_name);
    if (processes)
        closedir(processes);
    return count;
}

/* Processor time of a process and of those children of it that have ended. */
static double cpu_s_of(pid_t pid) {
    char path[64], text[512];
    unsigned long user = 0, system = 0, children_user = 0, children_system = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    text[length > 0 ? length : 0] = '\0';
    const char *rest = strrchr(text, ')');
    if (rest)
        sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %lu %lu", &user,
               &system, &children_user, &children_system);
    return (double)(user + system + children_user + children_system) / (double)sysconf(_SC_CLK_TCK);
}

/* Of the program and all that it started. */
static double cpu_so_far_s(const char *mark) {
    pid_t pids[PROCESSES_MAX];
    uint32_t count = find_marked(mark, pids, PROCESSES_MAX);
    double all_s = 0;
    for (uint32_t i = 0; i < count; i++)
        all_s += cpu_s_of(pids[i]);
    return all_s;
}

static bool floods(const char *prefix) {
    char pattern[4096];
    glob_t files;
    struct stat about;
    off_t bytes = 0;
    snprintf(pattern, sizeof pattern, "%s*", prefix);
    if (glob(pattern, GLOB_NOSORT, NULL, &files) == 0)
        for (size_t i = 0; i < files.gl_pathc; i++)
            bytes += stat(files.gl_pathv[i], &about) == 0 ? about.st_size : 0;
    globfree(&files);
    return bytes > (off_t)SPAWN_LOG_BYTES_MAX;
}

/* Why the program has to be ended now, if it has to: EXITED if not. */
static enum spawn_end overdue(const struct spawn_request *request, const char *mark, double run_s,
                              double *marked_at_s, double *marked_cpu_s, bool *computes) {
    if (interrupted)
        return SPAWN_INTERRUPTED;
    if (request->log_prefix && floods(request->log_prefix))
        return SPAWN_FLOOD;
    double window_s = request->timeout_s / 4;
    if (run_s - *marked_at_s >= window_s) {
        double cpu_s = cpu_so_far_s(mark);
        *computes = cpu_s - *marked_cpu_s > BUSY_SHARE * (run_s - *marked_at_s);
        *marked_at_s = run_s;
        *marked_cpu_s = cpu_s;
    }
    if (run_s < request->timeout_s)
        return SPAWN_EXITED;
    if (run_s >= BUSY_TIMES * request->timeout_s)
        return *computes ? SPAWN_SPUN : SPAWN_HUNG;
    return *computes ? SPAWN_EXITED : SPAWN_HUNG;
}

/* Waits for the process itself; its descendants come later. */
static void watch(const struct spawn_request *request, pid_t pid, const char *mark, int said,
                  struct spawn_result *result, struct rusage *usage) {
    uint64_t begin_ns = clock_monotonic_ns();
    double marked_at_s = 0, marked_cpu_s = 0;
    bool computes = true;
    int ended = 0, wake = (int)syscall(SYS_pidfd_open, pid, 0);
    enum spawn_end forced = SPAWN_EXITED;
    while (wait4(pid, &ended, WNOHANG, usage) == 0) {
        struct pollfd on[2] = {{.fd = said, .events = POLLIN}, {.fd = wake, .events = POLLIN}};
        poll(on, 2, POLL_MS);
        listen(said, result);
        if (on[0].revents & POLLHUP) /* it closed its output: poll would not wait any more */
            poll(on + 1, 1, POLL_MS);
        double run_s = (double)(clock_monotonic_ns() - begin_ns) * 1e-9;
        if (forced == SPAWN_EXITED)
            forced = overdue(request, mark, run_s, &marked_at_s, &marked_cpu_s, &computes);
        if (forced != SPAWN_EXITED) {
            kill(-pid, SIGKILL);
            kill(pid, SIGKILL);
        }
    }
    close(wake);
    result->wall_s = (double)(clock_monotonic_ns() - begin_ns) * 1e-9;
    result->end = forced != SPAWN_EXITED ? forced
                  : WIFSIGNALED(ended)   ? SPAWN_SIGNALED
                                         : SPAWN_EXITED;
    result->status = WIFSIGNALED(ended) ? WTERMSIG(ended) : WEXITSTATUS(ended);
}

/* Waits for the descendants, which are our children now, then ends them; how many had to be. */
static uint32_t end_descendants(const char *mark) {
    pid_t pids[PROCESSES_MAX];
    uint32_t ended = 0, none = 0;
    for (int round = 0; round < REAP_ROUNDS && none < SCANS_EMPTY; round++) {
        uint32_t found = find_marked(mark, pids, PROCESSES_MAX);
        none = found ? 0 : none + 1;
        if (round >= GRACE_ROUNDS) {
            ended = found > ended ? found : ended;
            for (uint32_t i = 0; i < found; i++)
                kill(pids[i], SIGKILL);
        }
        if (found)
            clock_sleep_until_ns(clock_monotonic_ns() + 2 * NS_PER_MS);
        for (uint32_t i = 0; i < found; i++)
            waitpid(pids[i], NULL, WNOHANG);
    }
    return ended;
}

static void close_both(const int pipe[2]) {
    close(pipe[0]);
    close(pipe[1]);
}

void spawn_run(const struct spawn_request *request, struct spawn_result *result) {
    char mark[64];
    int said[2], failed[2] = {-1, -1}, why = 0;
    struct rusage usage = {0};
    memset(result, 0, sizeof *result);
    uint32_t number = atomic_fetch_add_explicit(&runs_started, 1, memory_order_relaxed);
    snprintf(mark, sizeof mark, MARK "=%d.%u", (int)getpid(), number);
    char **all = environment(request, mark);
    result->end = SPAWN_FAILED;
    if (!all || pipe2(failed, O_CLOEXEC) != 0 || pipe2(said, O_CLOEXEC | O_NONBLOCK) != 0) {
        if (failed[0] >= 0)
            close_both(failed);
        free(all);
        return;
    }
    fcntl(said[1], F_SETFL, 0); /* the program's end blocks as usual */
    pid_t pid = interrupted ? -1 : fork();
    if (pid == 0)
        become(request, all, said[1], failed[1]);
    close(said[1]);
    close(failed[1]);
    if (pid > 0) {
        watch(request, pid, mark, said[0], result, &usage);
        result->left_behind = end_descendants(mark);
        listen(said[0], result);
        if (read(failed[0], &why, sizeof why) == sizeof why) {
            result->end = SPAWN_FAILED;
            snprintf(result->said, sizeof result->said, "%s", strerror(why));
        }
    } else if (interrupted)
        result->end = SPAWN_INTERRUPTED;
    close(said[0]);
    close(failed[0]);
    free(all);
    result->cpu_s = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                    (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}
