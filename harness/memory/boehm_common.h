/* SPDX-License-Identifier: MIT */
/* boehm_common.h - libgc (Boehm, Demers, Weiser) under mem.h: all but how it collects.
 *
 * References in C locals and registers are found on the stacks of attached threads, those in state
 * memory because it is uncollectable GC memory, those in objects by the scan. Types without edges
 * are allocated as pointer-free. drop is nothing: the collector finds out. A stop is logged from
 * GC_EVENT_PRE_STOP_WORLD (the threads are about to be signalled) to GC_EVENT_POST_START_WORLD:
 * events that come in every mode. Marker threads take GC_MARKERS from the environment if it is set.
 * Under AddressSanitizer stack frames must stay on the stack, where the scan finds what they hold:
 * detect_stack_use_after_return=0, or its compile flag.
 */
#define GC_THREADS
#define GC_NO_THREAD_REDIRECTS /* threads register in mem_attach; pthread_create stays libc's */
#include "base/clock.h"
#include <gc/gc.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct mem_thread {
    char unused;
};
struct mem_scope {
    char unused;
};
static mem_thread boehm_thread;
static mem_scope boehm_scope;
static uint64_t boehm_stop_ns;
static pthread_t boehm_main;

static void boehm_on_event(GC_EventType event) {
    if (event == GC_EVENT_PRE_STOP_WORLD)
        boehm_stop_ns = clock_now_ns();
    else if (event == GC_EVENT_POST_START_WORLD)
        host_interval(MEM_CAUSE_COLLECTOR_PAUSE, boehm_stop_ns, clock_now_ns());
}

static void *boehm_on_exhausted(size_t bytes) {
    host_out_of_memory(bytes);
}

static void boehm_no_warning(char *message, GC_word argument) {
    (void)message, (void)argument;
}

#if defined(TAILRACE_TSAN)
#include "memory/boehm_safepoints.h"
#else
#include "memory/boehm_signals.h"
#endif

/* What every mode begins with: collection as the library does it by itself. */
static void boehm_init(void) {
    uint64_t markers = host_tune("markers", 0);
    if (markers > 0) {
        char text[24];
        snprintf(text, sizeof text, "%llu", (unsigned long long)markers);
        setenv("GC_MARKERS", text, 1);
    }
    boehm_main = pthread_self();
    GC_INIT();
    GC_allow_register_threads();
    GC_set_free_space_divisor((GC_word)host_tune("divisor", 3));
    GC_set_warn_proc(boehm_no_warning);
    GC_set_oom_fn(boehm_on_exhausted);
    GC_set_on_collection_event(boehm_on_event);
    boehm_world_init();
}

static void mem_fini(void) {
    GC_gcollect();
    GC_set_on_collection_event(NULL);
}

static mem_thread *mem_attach(void) {
    boehm_world_join();
    return &boehm_thread;
}
static void mem_detach(mem_thread *t) {
    (void)t;
    boehm_world_leave(pthread_equal(pthread_self(), boehm_main));
}

static void *mem_state_new(size_t bytes) {
    return GC_MALLOC_UNCOLLECTABLE(bytes);
}
static void mem_state_free(void *state) {
    GC_FREE(state);
}

static inline mem_scope *mem_scope_begin(mem_thread *t) {
    (void)t;
    return &boehm_scope;
}
static inline void mem_scope_end(mem_thread *t, mem_scope *s) {
    (void)s;
    mem_safepoint(t);
}
static inline void mem_scope_enter(mem_thread *t, mem_scope *s) {
    (void)t, (void)s;
}
static inline void mem_scope_leave(mem_thread *t, mem_scope *s) {
    (void)t, (void)s;
}
#include "memory/parcel.h"

/* Never NULL: GC_malloc calls boehm_on_exhausted. Pointerful memory comes zeroed. */
MEM_INLINE void *mem_new(mem_thread *t, mem_scope *s, const mem_type *type, size_t trailing_bytes) {
    (void)t, (void)s;
    size_t bytes = mem_bytes(type, trailing_bytes);
    if (!mem_has_edges(type))
        return GC_MALLOC_ATOMIC(bytes);
    void *object = GC_MALLOC(bytes);
    mem_clear_trailing(type, object, 0, trailing_bytes / sizeof(mem_ref));
    return object;
}
MEM_INLINE void *mem_try_new(mem_thread *t, mem_scope *s, const mem_type *type,
                             size_t trailing_bytes) {
    return mem_new(t, s, type, trailing_bytes);
}

MEM_INLINE void *mem_resize(mem_thread *t, mem_scope *s, const mem_type *type, void *object,
                            size_t old_trailing_bytes, size_t new_trailing_bytes) {
    (void)t, (void)s;
    object = GC_REALLOC(object, mem_bytes(type, new_trailing_bytes));
    mem_clear_trailing(type, object, old_trailing_bytes / sizeof(mem_ref),
                       new_trailing_bytes / sizeof(mem_ref));
    return object;
}

/* What is dropped lives until libgc finds no pointer to it; who read a slot holds it on its stack,
 * which is a root. */
#include "memory/no_reclaim.h"
