/* SPDX-License-Identifier: MIT */
/* start.c - reads the seed before main, and tells at the end how far the run went. */
#include "race/runtime/wrap.h"

#include <stdlib.h>

enum {
    PRIORITY_FIRST = 101, /* among constructors: the first that a program may have */
    DELAYS_MAX = 300,     /* of a thread; then 16 times rarer */
    DELAY_NS_MAX = 1000000,
    DELAY_SYNC_MEAN = 16, /* points to a delay, at most 16 times as many by the seed */
    DELAY_ACCESS_MEAN = 1024,
};

_Atomic uint32_t tailrace_on;
uint64_t tailrace_seed;
_Atomic bool tailrace_unserialised, tailrace_exiting;
static struct {
    _Atomic bool frozen, written;
    uint64_t steps, points, syncs, trace;
    bool unserialised;
} end;

TAILRACE_THREAD_LOCAL rng delay_rng;
TAILRACE_THREAD_LOCAL uint64_t delays;
static _Atomic uint64_t delay_threads;

void tailrace_delay(bool sync) {
    if (delay_rng.state == 0)
        delay_rng = rng_at(tailrace_seed,
                           atomic_fetch_add_explicit(&delay_threads, 1, memory_order_relaxed));
    atomic_fetch_add_explicit(&tailrace_points, 1, memory_order_relaxed);
    if (sync)
        atomic_fetch_add_explicit(&tailrace_sync_points, 1, memory_order_relaxed);
    uint64_t mean = (uint64_t)(sync ? DELAY_SYNC_MEAN : DELAY_ACCESS_MEAN)
                    << (tailrace_seed >> 11 & 3);
    if (delays > DELAYS_MAX)
        mean *= 16;
    if (rng_below(&delay_rng, mean) > 0)
        return;
    delays++;
    raw_sleep_ns(rng_below(&delay_rng, DELAY_NS_MAX));
}

void tailrace_finish(void) {
    if (atomic_exchange_explicit(&end.frozen, true, memory_order_relaxed))
        return;
    end.steps = LOAD(tailrace_steps);
    end.points = LOAD(tailrace_points);
    end.syncs = LOAD(tailrace_sync_points);
    end.trace = LOAD(tailrace_trace);
    end.unserialised = LOAD(tailrace_unserialised);
}

void tailrace_write_end(void) {
    static struct line line;
    if (!tailrace_logging() || atomic_exchange_explicit(&end.written, true, memory_order_relaxed))
        return;
    line.used = 0;
    tailrace_line_text(&line, "{\"event\":\"end\",\"steps\":");
    tailrace_line_number(&line, end.steps);
    tailrace_line_text(&line, ",\"points\":");
    tailrace_line_number(&line, end.points);
    tailrace_line_text(&line, ",\"sync_points\":");
    tailrace_line_number(&line, end.syncs);
    tailrace_line_text(&line, ",\"threads\":");
    tailrace_line_number(&line, tailrace_threads);
    tailrace_line_text(&line, ",\"unserialised\":");
    tailrace_line_text(&line, end.unserialised ? "true" : "false");
    tailrace_line_text(&line, ",\"trace\":\"");
    tailrace_line_hexadecimal(&line, end.trace);
    tailrace_line_text(&line, "\"}");
    tailrace_line_write(&line);
}

/* The program is done; its other threads may run on while tools end. */
static void at_exit(void) {
    tailrace_finish();
    STORE(tailrace_exiting, true);
    struct task *self = tailrace_self();
    if (LOAD(tailrace_on) > SCHEDULE_DELAY && self)
        tailrace_leave(self);
}

/* The last word of ThreadSanitizer's end, after its reports on threads that were never joined. */
_Bool tailrace_tsan_end(_Bool failed) __asm__("_ZN6__tsan10OnFinalizeEb");
_Bool tailrace_tsan_end(_Bool failed) {
    tailrace_finish();
    tailrace_write_end();
    return failed;
}

__attribute__((destructor)) static void at_end(void) {
    tailrace_finish();
    tailrace_write_end();
}

static void in_child(void) {
    STORE(tailrace_on, SCHEDULE_PLAIN);
    STORE(tailrace_points, 0);
    STORE(tailrace_sync_points, 0);
    STORE(tailrace_steps, 0);
    STORE(tailrace_trace, 0);
    STORE(tailrace_unserialised, false);
    STORE(end.frozen, false);
    STORE(end.written, false);
    tailrace_threads = 1;
}

static uint64_t parse(const char *text) {
    uint64_t number = 0;
    for (; *text >= '0' && *text <= '9'; text++)
        number = number * 10 + (uint64_t)(*text - '0');
    return *text ? 0 : number;
}

static void start_schedule(void) {
    tailrace_policy_start();
    tailrace_look_at_libraries();
    struct task *self = tailrace_task_new();
    STORE(self->handle, pthread_self());
    STORE(tailrace_turn, self);
    tailrace_task_begin(self);
    tailrace_thread_key();
    tailrace_watch_start();
}

__attribute__((constructor(PRIORITY_FIRST))) static void start(void) {
    const char *prefix = getenv("TAILRACE_RACE_LOG"), *seed = getenv("TAILRACE_RACE_SEED");
    if (prefix)
        tailrace_log_start(prefix);
    tailrace_seed = seed ? parse(seed) : 0;
    enum race_schedule kind = seed_schedule(tailrace_seed);
    tailrace_threads = kind > SCHEDULE_DELAY ? 0 : 1;
    atexit(at_exit);
    if (kind == SCHEDULE_PLAIN || kind >= SCHEDULE_COUNT)
        return;
    pthread_atfork(NULL, NULL, in_child);
    if (kind > SCHEDULE_DELAY)
        start_schedule();
    STORE(tailrace_on, kind);
}
