/* SPDX-License-Identifier: MIT */
/* watch.c - sees to it that no program hangs for being scheduled: passes the turn on from a thread
 * that blocks in a call we know nothing of or computes for long, and to one whose time has come.
 *
 * A thread of its own, unknown to the C library and blocked for every signal, with a stack in the
 * program's data and the thread-local storage of the one that started it: it calls nothing but
 * raw_ functions and what only they are used in.
 */
#include "race/runtime/runtime.h"

enum {
    TICK_NS = 1000000,
    SLEEPING_TICKS = 3,         /* asleep at so many looks in a row: blocked */
    SLEEPING_BRIEF_TICKS = 300, /* …in a join of a thread that is all but over, or the like */
    SLEEPING_FAR_TICKS = 5000,  /* …in a call of a sanitizer's run-time, which ends by itself */
    COMPUTING_CLOCKS = 30,      /* of processor time without a point, in hundredths of a second */
    COMPUTING_LOOK_TICKS = 64,
    STUCK_TICKS = 50, /* between two looks at a deadlock */
    STACK_BYTES = 64 * 1024,
    STAT_BYTES = 1024,
    STAT_TIME_FIELD = 14, /* user, then system time */
};

extern char __executable_start, etext;
static _Alignas(64) char watch_stack[STACK_BYTES];

static struct {
    struct task *task;
    uint64_t points, began_clocks;
    uint32_t ticks, sleeping;
    uint32_t stuck;
} seen;

/* /proc/self/task/TID/NAME into text; false where it is gone. */
static bool read_proc(int tid, const char *name, char *text) {
    static const char folder[] = "/proc/self/task/";
    char path[64], digits[12];
    uint32_t at = 0, n = 0;
    for (; folder[at]; at++)
        path[at] = folder[at];
    for (uint32_t rest = (uint32_t)tid; rest > 0 && n < sizeof(digits); rest /= 10)
        digits[n++] = (char)('0' + rest % 10);
    while (n > 0)
        path[at++] = digits[--n];
    for (uint32_t i = 0; name[i] && at < sizeof(path) - 1; i++)
        path[at++] = name[i];
    path[at] = 0;
    int fd = raw_open(path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return false;
    long got = raw_read(fd, text, STAT_BYTES - 1);
    raw_close(fd);
    text[got > 0 ? got : 0] = 0;
    return got > 0;
}

static const char *after_name(const char *stat) {
    const char *last = stat;
    for (; *stat; stat++)
        if (*stat == ')')
            last = stat + 1;
    return *last ? last + 1 : last;
}

char tailrace_thread_state(int tid) {
    char text[STAT_BYTES];
    return read_proc(tid, "/stat", text) ? *after_name(text) : 'X';
}

static uint64_t clocks(int tid) {
    char text[STAT_BYTES];
    if (!read_proc(tid, "/stat", text))
        return 0;
    const char *at = after_name(text);
    uint64_t sum = 0, number = 0;
    for (int field = 3; *at && field <= STAT_TIME_FIELD + 1; at++) {
        if (*at == ' ') {
            sum += field >= STAT_TIME_FIELD ? number : 0;
            number = 0;
            field++;
        } else {
            number = number * 10 + (uint64_t)(*at - '0');
        }
    }
    return sum;
}

/* Whether the thread sleeps in a system call of the executable's own code: a sanitizer that talks
 * to its symbolizer, or ourselves. Programs make theirs by the C library. */
static bool sleeps_in_runtime(int tid) {
    char text[STAT_BYTES];
    if (!read_proc(tid, "/syscall", text))
        return false;
    uint64_t pc = 0;
    for (const char *at = text; *at && *at != '\n'; at++) {
        char c = *at;
        if (c == ' ' || c == 'x')
            pc = 0;
        else
            pc = pc << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return pc >= (uint64_t)&__executable_start && pc < (uint64_t)&etext;
}

/* Whether the thread that has the turn will not come to a point soon. */
static bool is_away(struct task *task) {
    int tid = LOAD(task->tid);
    if (tid == 0)
        return false;
    seen.ticks++;
    char state = tailrace_thread_state(tid);
    seen.sleeping = state == 'S' || state == 'D' || state == 'T' ? seen.sleeping + 1 : 0;
    if (seen.sleeping >= (LOAD(task->brief) ? SLEEPING_BRIEF_TICKS : SLEEPING_TICKS))
        return seen.sleeping >= SLEEPING_FAR_TICKS || !sleeps_in_runtime(tid);
    if (seen.ticks % COMPUTING_LOOK_TICKS)
        return false;
    uint64_t now = clocks(tid);
    if (seen.began_clocks == 0)
        seen.began_clocks = now + 1;
    return now + 1 >= seen.began_clocks + COMPUTING_CLOCKS;
}

static void pass_on(struct task *from) {
    uint64_t signals = tailrace_lock();
    if (LOAD(tailrace_turn) == from && LOAD(tailrace_points) == seen.points) {
        STORE(from->state, TASK_OUTSIDE);
        struct task *next = tailrace_choose(NULL);
        bool timed = false;
        uint32_t end = LOAD(tailrace_task_end);
        for (uint32_t i = 0; i < end && !next; i++)
            timed |= LOAD(tailrace_tasks[i].state) == TASK_BLOCKED && tailrace_tasks[i].wait.timed;
        if (next || timed) {
            STORE(tailrace_unserialised, true);
            tailrace_give(next);
        } else {
            STORE(from->state, TASK_READY); /* nobody gains by it */
        }
    }
    tailrace_unlock(signals);
}

static void look_at(struct task *task) {
    uint64_t points = LOAD(tailrace_points);
    if (task != seen.task || points != seen.points) {
        seen.task = task;
        seen.points = points;
        seen.ticks = seen.sleeping = 0;
        seen.began_clocks = 0;
        return;
    }
    if (is_away(task))
        pass_on(task);
}

/* Nobody has the turn: somebody may have come back to life. */
static void look_for_one(void) {
    uint64_t signals = tailrace_lock();
    struct task *next = LOAD(tailrace_turn) ? NULL : tailrace_choose(NULL);
    if (next)
        tailrace_give(next);
    tailrace_unlock(signals);
    seen.stuck = next ? 0 : seen.stuck + 1;
    if (seen.stuck && seen.stuck % STUCK_TICKS == 0)
        tailrace_stuck(seen.stuck / STUCK_TICKS);
}

static void watch(void) {
    for (;;) {
        raw_sleep_ns(TICK_NS);
        struct task *task = LOAD(tailrace_turn);
        if (task) {
            seen.stuck = 0;
            look_at(task);
        } else {
            look_for_one();
        }
    }
}

void tailrace_watch_start(void) {
    uint64_t signals = raw_signals_block();
    raw_thread(watch_stack + STACK_BYTES, watch);
    raw_signals_restore(signals);
}
