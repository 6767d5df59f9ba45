/* SPDX-License-Identifier: MIT */
/* report.c - takes each of ThreadSanitizer's reports as it is made and writes it to the log.
 *
 * Called by its run-time, one at a time, on the thread that saw the race.
 */
#include "race/runtime/runtime.h"

enum { REPORTS_MAX = 64, TRACE_MAX = 32, ITEMS_MAX = 8 };

#define WEAK __attribute__((weak))
WEAK int __tsan_get_report_data(void *report, const char **description, int *count,
                                int *stack_count, int *mop_count, int *loc_count, int *mutex_count,
                                int *thread_count, int *unique_tid_count, void **sleep_trace,
                                unsigned long trace_size);
WEAK int __tsan_get_report_stack(void *report, unsigned long index, void **trace,
                                 unsigned long trace_size);
WEAK int __tsan_get_report_mop(void *report, unsigned long index, int *tid, void **address,
                               int *size, int *write, int *atomic, void **trace,
                               unsigned long trace_size);
WEAK int __tsan_get_report_loc(void *report, unsigned long index, const char **type, void **address,
                               unsigned long *start, unsigned long *size, int *tid, int *fd,
                               int *suppressable, void **trace, unsigned long trace_size);
WEAK int __tsan_get_report_mutex(void *report, unsigned long index, unsigned long *mutex_id,
                                 void **address, int *destroyed, void **trace,
                                 unsigned long trace_size);
WEAK int __tsan_get_report_thread(void *report, unsigned long index, int *tid, unsigned long *os_id,
                                  int *running, const char **name, int *parent_tid, void **trace,
                                  unsigned long trace_size);
void __tsan_on_report(void *report);

static struct line line;
static bool first;

static void stack(const char *role, void *const *trace) {
    uintptr_t pcs[TRACE_MAX];
    uint32_t count = 0;
    for (; count < TRACE_MAX && trace[count]; count++)
        pcs[count] = (uintptr_t)trace[count];
    if (count == 0)
        return;
    tailrace_line_stack(&line, first, role, pcs, count);
    first = false;
}

static void clear(void **trace) {
    for (volatile int i = 0; i <= TRACE_MAX; i++)
        trace[i] = NULL;
}

static void accesses(void *report, int count) {
    void *trace[TRACE_MAX + 1], *address;
    for (int i = 0; i < count && i < ITEMS_MAX; i++) {
        int tid = 0, size = 0, write = 0, atomic = 0;
        clear(trace);
        __tsan_get_report_mop(report, (unsigned long)i, &tid, &address, &size, &write, &atomic,
                              trace, TRACE_MAX);
        char role[64], of[64];
        tailrace_role(of, sizeof(of), atomic ? "atomic " : "", UINT64_MAX, write ? "write" : "read",
                      " of ");
        tailrace_role(role, sizeof(role), of, (uint64_t)size, " bytes by thread T", "");
        tailrace_role(of, sizeof(of), role, (uint64_t)tid, "", "");
        stack(of, trace);
    }
}

static bool same(const char *a, const char *b) {
    return tailrace_text_begins(a, b) && tailrace_text_begins(b, a);
}

static void places(void *report, int count) {
    void *trace[TRACE_MAX + 1], *address;
    for (int i = 0; i < count && i < ITEMS_MAX; i++) {
        const char *type = "";
        unsigned long start = 0, size = 0;
        int tid = 0, fd = 0, suppressable = 0;
        clear(trace);
        __tsan_get_report_loc(report, (unsigned long)i, &type, &address, &start, &size, &tid, &fd,
                              &suppressable, trace, TRACE_MAX);
        char role[64];
        if (same(type, "heap"))
            tailrace_role(role, sizeof(role), "allocated by thread T", (uint64_t)tid, "", "");
        else if (same(type, "fd"))
            tailrace_role(role, sizeof(role), "file descriptor ", (uint64_t)fd, " opened", "");
        else
            continue;
        stack(role, trace);
    }
}

static void mutexes(void *report, int count) {
    void *trace[TRACE_MAX + 1], *address;
    for (int i = 0; i < count && i < ITEMS_MAX; i++) {
        unsigned long id = 0;
        int destroyed = 0;
        char role[64];
        clear(trace);
        __tsan_get_report_mutex(report, (unsigned long)i, &id, &address, &destroyed, trace,
                                TRACE_MAX);
        tailrace_role(role, sizeof(role), "mutex created, M", id, "", "");
        stack(role, trace);
    }
}

static void threads(void *report, int count) {
    void *trace[TRACE_MAX + 1];
    for (int i = 0; i < count && i < ITEMS_MAX; i++) {
        int tid = 0, running = 0, parent = 0;
        unsigned long os_id = 0;
        const char *name = NULL;
        char role[64], of[64];
        clear(trace);
        __tsan_get_report_thread(report, (unsigned long)i, &tid, &os_id, &running, &name, &parent,
                                 trace, TRACE_MAX);
        tailrace_role(of, sizeof(of), "thread T", (uint64_t)tid, " created by thread T", "");
        tailrace_role(role, sizeof(role), of, (uint64_t)parent, "", "");
        stack(role, trace);
    }
}

/* Stacks of their own: in reports on mutexes, signals and errno. */
static void others(void *report, int count) {
    void *trace[TRACE_MAX + 1];
    for (int i = 0; i < count && i < ITEMS_MAX; i++) {
        clear(trace);
        __tsan_get_report_stack(report, (unsigned long)i, trace, TRACE_MAX);
        stack("here", trace);
    }
}

/* ThreadSanitizer's type of report, in the words that we use. */
static const char *kind_of(const char *type) {
    static const char *const words[][2] = {
        {"locked-mutex-destroy", "mutex-destroy-locked"},
        {"errno-in-signal-handler", "errno-in-signal"},
    };
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (same(type, words[i][0]))
            return words[i][1];
    return type;
}

void __tsan_on_report(void *report) {
    static _Atomic uint32_t reports;
    if (!tailrace_logging() || !__tsan_get_report_data ||
        atomic_fetch_add_explicit(&reports, 1, memory_order_relaxed) >= REPORTS_MAX)
        return;
    const char *type = "";
    int count, stacks = 0, mops = 0, locs = 0, mutex_count = 0, thread_count = 0, tids;
    void *sleep_trace[1];
    __tsan_get_report_data(report, &type, &count, &stacks, &mops, &locs, &mutex_count,
                           &thread_count, &tids, sleep_trace, 0);
    line.used = 0;
    first = true;
    tailrace_line_text(&line, "{\"kind\":");
    tailrace_line_string(&line, kind_of(type), sizeof(line.text));
    tailrace_line_text(&line, ",\"message\":\"ThreadSanitizer: ");
    for (const char *at = type; *at; at++)
        tailrace_line_text(&line, (char[]){(char)(*at == '-' ? ' ' : *at), 0});
    tailrace_line_text(&line, "\",\"stacks\":[");
    accesses(report, mops);
    others(report, stacks);
    places(report, locs);
    mutexes(report, mutex_count);
    threads(report, thread_count);
    tailrace_line_text(&line, "]}");
    tailrace_line_write(&line);
}
