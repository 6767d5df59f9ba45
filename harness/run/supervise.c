/* SPDX-License-Identifier: MIT */
/* supervise.c - starts a worker, samples its memory, and tells how it ended. */
#include "run/supervise.h"

#include "base/clock.h"
#include "run/heap_tuning.h"
#include "run/paths.h"
#include "run/said.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define SAMPLE_NS (5 * NS_PER_MS)
#define SAMPLES_MAX 2000000 /* 2.8 hours */

static volatile sig_atomic_t interrupted;

void supervise_interrupt(void) {
    interrupted = 1;
}
bool supervise_interrupted(void) {
    return interrupted;
}

const char *run_status_name(enum run_status status) {
    static const char *const names[] = {"ok",          "overloaded", "oom",
                                        "unsupported", "crashed",    "timeout"};
    return names[status];
}

static double wall_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void configure(const struct cell *cell, struct area *area) {
    struct area_config *config = &area->config;
    bool open = cell->mode != CELL_CLOSED;
    uint64_t requests = cell->requests;
    if (open && requests == 0)
        requests = (uint64_t)fmax(1, round(cell->rate * cell->duration_s));
    area->bytes = sizeof *area;
    snprintf(config->scenario, sizeof config->scenario, "%s", cell->scenario->name);
    snprintf(config->tune, sizeof config->tune, "%s", cell->tune);
    snprintf(config->heap_path, sizeof config->heap_path, "%s", cell->heap_path);
    snprintf(config->data_dir, sizeof config->data_dir, "%s", path_data());
    config->tsc = cell->tsc;
    config->leaks = cell_leaks(cell);
    config->count = cell->count;
    _Static_assert(sizeof config->params == sizeof cell->params, "one place for each");
    memcpy(config->params, cell->params, sizeof config->params);
    config->live = cell->live;
    config->budget_bytes = cell->budget_bytes;
    config->warmup_ns = (uint64_t)(cell->warmup_s * 1e9);
    config->drain_ns = (uint64_t)(cell->drain_s * 1e9);
    config->duration_ns =
        (uint64_t)((open ? (double)requests / cell->rate : cell->duration_s) * 1e9);
    config->warmup_requests = open ? (uint64_t)round(cell->rate * cell->warmup_s) : 0;
    config->plan = (struct load_plan){.open = open,
                                      .arrivals = cell->arrivals,
                                      .rate = open ? cell->rate : 0,
                                      .requests = requests,
                                      .seed = cell->seed,
                                      .workers = cell->threads};
}

static struct area *area_new(int *fd) {
    *fd = memfd_create("tailrace", MFD_CLOEXEC);
    if (*fd < 0 || ftruncate(*fd, sizeof(struct area)) != 0)
        return NULL;
    void *area = mmap(NULL, sizeof(struct area), PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
    return area == MAP_FAILED ? NULL : area;
}

/* What counts comes in front of the heap, which it hands its calls to. */
static void preload(const struct cell *cell) {
    char count[AREA_PATH_BYTES] = "", both[2 * AREA_PATH_BYTES];
    if (cell->count)
        path_count(count, sizeof count);
    snprintf(both, sizeof both, "%s%s%s", count, *count && *cell->heap_path ? ":" : "",
             cell->heap_path);
    if (*both)
        setenv("LD_PRELOAD", both, 1);
    else
        unsetenv("LD_PRELOAD");
}

/* In the child: only calls that are safe after fork. A terminal's Ctrl-C reaches the parent alone.
 */
static _Noreturn void become_worker(const char *program, const struct cell *cell, int area_fd,
                                    int say_fd) {
    char number[16];
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    fcntl(area_fd, F_SETFD, 0);
    dup2(say_fd, STDERR_FILENO);
    snprintf(number, sizeof number, "%d", area_fd);
    heap_tune(cell->heap, cell->tune);
    preload(cell);
    execl(program, program, number, (char *)NULL);
    _exit(127);
}

static void take_sample(struct run *run, int statm_fd) {
    char text[64];
    ssize_t length = pread(statm_fd, text, sizeof text - 1, 0);
    /* acquire: pairs with the release in the worker's enter_phase; before set-up, what is resident
     * of the area is not known, and nothing of the program under test is there */
    bool begun = atomic_load_explicit(&run->area->phase, memory_order_acquire) >= PHASE_SETUP;
    if (length <= 0 || run->sample_count == SAMPLES_MAX || !begun)
        return;
    text[length] = '\0';
    if (run->sample_count == run->sample_capacity) {
        size_t capacity = run->sample_capacity ? run->sample_capacity * 2 : 1024;
        struct rss_sample *grown = realloc(run->samples, capacity * sizeof *grown);
        if (!grown)
            return;
        run->samples = grown;
        run->sample_capacity = capacity;
    }
    const char *second = strchr(text, ' ');
    uint64_t pages = second ? strtoull(second, NULL, 10) : 0;
    uint64_t bytes = pages * (uint64_t)sysconf(_SC_PAGESIZE);
    if (bytes > run->area->rss_shared_bytes) /* 0: a process that is ending */
        run->samples[run->sample_count++] =
            (struct rss_sample){clock_now_ns(), bytes - run->area->rss_shared_bytes};
}

/* Watches until the process has ended; returns true if it had to be killed for its time. */
static bool watch(pid_t pid, double timeout_s, int say_fd, struct run *run, char *said,
                  int *ended) {
    char statm[64];
    snprintf(statm, sizeof statm, "/proc/%d/statm", (int)pid);
    int statm_fd = open(statm, O_RDONLY | O_CLOEXEC);
    uint64_t at_ns = clock_now_ns(), deadline_ns = at_ns + (uint64_t)(timeout_s * 1e9);
    bool killed = false, late = false;
    while (wait4(pid, ended, WNOHANG, &run->usage) == 0) {
        take_sample(run, statm_fd);
        said_listen(say_fd, said);
        late = late || (!killed && at_ns > deadline_ns);
        if ((late || interrupted) && !killed)
            killed = kill(pid, SIGKILL) == 0;
        at_ns += SAMPLE_NS;
        uint64_t now_ns = clock_now_ns();
        if (at_ns < now_ns)
            at_ns = now_ns;
        clock_sleep_until_ns(at_ns);
    }
    said_listen(say_fd, said);
    close(statm_fd);
    return late;
}

static const char *phase_word(const struct area *area) {
    static const char *const words[] = {"before set-up",   "during set-up",    "during warm-up",
                                        "while recording", "during the drain", "at its end"};
    return words[atomic_load_explicit(&area->phase, memory_order_acquire)];
}

static bool any_overloaded(const struct area *area) {
    for (uint32_t i = 0; i < area->config.plan.workers; i++)
        if (area->config.plan.open && load_overloaded(&area->records[i]))
            return true;
    return false;
}

/* A heap that aborts where others return NULL (scudo) says so. */
static bool says_no_memory(const char *said) {
    return strstr(said, "Cannot allocate memory") || strstr(said, "ut of memory");
}

static void judge_crash(struct run *run, const struct cell *cell, char *said, int ended) {
    char line[SAID_BYTES], how[64];
    if (WIFSIGNALED(ended))
        snprintf(how, sizeof how, "was killed by signal %d (%s)", WTERMSIG(ended),
                 strsignal(WTERMSIG(ended)));
    else
        snprintf(how, sizeof how, "ended with exit status %d", WEXITSTATUS(ended));
    bool oom = cell->budget_bytes && says_no_memory(said);
    said_last_line(said, line, sizeof line);
    run->status = oom ? RUN_OOM : RUN_CRASHED;
    snprintf(run->reason, sizeof run->reason, "the worker %s %s%s%s", how, phase_word(run->area),
             *line ? ": " : "", line);
}

/* A worker that died left buckets that it had no time to count. */
static void recount(struct area *area) {
    for (uint32_t i = 0; i < area->config.plan.workers; i++)
        for (int slice = 0; area->records[i].end_ns == 0 && slice < LOAD_SLICES_MAX; slice++)
            histogram_recount(&area->records[i].slices[slice]);
}

static bool judge(struct run *run, const struct cell *cell, char *said, int ended, bool late,
                  struct error *error) {
    const struct area *area = run->area;
    if (interrupted)
        return error_set(error, EXIT_INTERRUPTED, "interrupted");
    if (area->status == AREA_LACKING)
        return error_set(error, EXIT_LACKING, "%s", area->reason);
    if (WIFEXITED(ended) && WEXITSTATUS(ended) == 127)
        return error_set(error, EXIT_LACKING, "cannot start the worker: %s", said);
    run->status = RUN_OK;
    recount(run->area);
    if (late) {
        run->status = RUN_TIMEOUT;
        snprintf(run->reason, sizeof run->reason, "not ended after %.3g s (%s)",
                 cell_timeout_s(cell), phase_word(area));
    } else if (area->status == AREA_OOM) {
        run->status = RUN_OOM;
        snprintf(run->reason, sizeof run->reason, "%s (%s)", area->reason, phase_word(area));
    } else if (area->status == AREA_UNSUPPORTED) {
        run->status = RUN_UNSUPPORTED;
        snprintf(run->reason, sizeof run->reason, "%s", area->reason);
    } else if (area->status == AREA_VIOLATION) {
        run->status = RUN_CRASHED;
        snprintf(run->reason, sizeof run->reason, "%s", area->reason);
    } else if (area->status != AREA_DONE || !WIFEXITED(ended) || WEXITSTATUS(ended) != 0) {
        judge_crash(run, cell, said, ended);
    } else if (area->clock_drift > CLOCK_DRIFT_MAX) {
        run->status = RUN_CRASHED;
        snprintf(run->reason, sizeof run->reason,
                 "rejected: the TSC ran %.0f millionths away from CLOCK_MONOTONIC",
                 area->clock_drift * 1e6);
    } else if (any_overloaded(area)) {
        run->status = RUN_OVERLOADED;
        snprintf(run->reason, sizeof run->reason,
                 "the offered rate is more than it can serve: requests started late throughout the "
                 "last half");
    }
    return true;
}

static bool run_process(const struct cell *cell, struct run *run, int area_fd,
                        struct error *error) {
    char program[AREA_PATH_BYTES + 64], said[SAID_BYTES] = "";
    int say[2], ended = 0;
    path_worker(cell->strategy->name, program, sizeof program);
    if (access(program, X_OK) != 0)
        return error_set(error, EXIT_LACKING, "there is no worker %s: build it first", program);
    if (pipe2(say, O_CLOEXEC | O_NONBLOCK) != 0)
        return error_set(error, EXIT_LACKING, "cannot make a pipe: %s", strerror(errno));
    pid_t pid = fork();
    if (pid == 0)
        become_worker(program, cell, area_fd, say[1]);
    close(say[1]);
    bool late = pid > 0 && watch(pid, cell_timeout_s(cell), say[0], run, said, &ended);
    close(say[0]);
    if (pid < 0)
        return error_set(error, EXIT_LACKING, "cannot start a process: %s", strerror(errno));
    return judge(run, cell, said, ended, late, error);
}

bool supervise(const struct cell *cell, struct run *run, struct error *error) {
    int area_fd;
    *run = (struct run){.started_at = wall_s()};
    getloadavg(&run->load_average, 1);
    if (cell_unsupported(cell, run->reason, sizeof run->reason)) {
        run->status = RUN_UNSUPPORTED;
        run->ended_at = wall_s();
        return true;
    }
    run->area = area_new(&area_fd);
    bool ran = run->area
                   ? true
                   : error_set(error, EXIT_LACKING, "cannot share memory: %s", strerror(errno));
    if (ran) {
        configure(cell, run->area);
        ran = run_process(cell, run, area_fd, error);
    }
    if (area_fd >= 0)
        close(area_fd);
    run->ended_at = wall_s();
    return ran;
}

void run_free(struct run *run) {
    if (run->area)
        munmap(run->area, sizeof *run->area);
    free(run->samples);
    *run = (struct run){0};
}

bool run_or_lack(bool ran, struct run *run, struct error *error) {
    if (ran || error->status != EXIT_LACKING)
        return ran;
    run->status = RUN_UNSUPPORTED;
    snprintf(run->reason, sizeof run->reason, "%s", error->sentence);
    error->status = 0;
    return true;
}
