/* SPDX-License-Identifier: MIT */
/* arena_stale_ordered.c - the slowest request is remembered by its address in an arena since reset.
 *
 * Mechanism: the request went with its arena, whose memory later requests have filled. A report
 * reads it long afterwards, so nothing races.
 */
#define MEM_STRATEGY_ID arena
#define MEM_STRATEGY_HEADER "memory/strategy_arena.h"
#include "races/case.h"
#include "races/case_memory.h"

#define STEPS 32

struct trace {
    uint64_t step_us[STEPS];
};
struct note {
    uint64_t at_us;
};
static const mem_type trace_type = {.name = "trace", .size = sizeof(struct trace)};
static const mem_type note_type = {.name = "note", .id = 1, .size = sizeof(struct note)};

static const struct trace *slowest;

static void handle_slow_request(mem_thread *t) {
    mem_scope *s = mem_scope_begin(t);
    struct trace *trace = mem_new(t, s, &trace_type, 0);
    for (int i = 0; i < STEPS; i++)
        trace->step_us[i] = 100;
#if BUG
    slowest = trace;
#else
    static struct trace copy;
    copy = *trace;
    slowest = &copy;
#endif
    mem_scope_end(t, s); /* FAULT a */
}

static void handle_request(mem_thread *t) {
    mem_scope *s = mem_scope_begin(t);
    for (int i = 0; i < STEPS; i++) {
        struct note *note = mem_new(t, s, &note_type, 0);
        note->at_us = 1;
    }
    mem_scope_end(t, s);
}

static void *report(void *data) {
    uint64_t total_us = 0;
    for (int i = 0; i < STEPS; i++)
        total_us += slowest->step_us[i]; /* FAULT b */
    *(uint64_t *)data = total_us;
    return NULL;
}

int main(void) {
    pthread_t reporter;
    uint64_t total_us;
    mem_init();
    mem_thread *t = mem_attach();
    handle_slow_request(t);
    handle_request(t);
    pthread_create(&reporter, NULL, report, &total_us);
    pthread_join(reporter, NULL);
    mem_detach(t);
    mem_fini();
    oracle(total_us == 100 * STEPS, "the slowest request's trace has changed");
    return 0;
}
