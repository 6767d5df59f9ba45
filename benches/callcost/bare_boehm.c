/* SPDX-License-Identifier: MIT */
/* bare_boehm.c - libgc: pointer-free objects, as the strategy asks for them, and no release. */
#include "meter.h"
#include "touch.h"

#define GC_THREADS
#define GC_NO_THREAD_REDIRECTS
#include <gc/gc.h>

#define SUBJECT_NAME "callcost-bare-boehm"
#define SUBJECT_EACH 1
#define SUBJECT_SCOPE 0
#define SUBJECT_HANDOFF 1
#define SUBJECT_KEEP 0
#define SUBJECT_STOPS subject_stops
#include "bare_no_give.h"
#include "bare_no_keep.h"
#include "bare_no_scope.h"

static uint64_t subject_stops(void) {
    return GC_get_gc_no();
}
static void subject_start(void) {
    GC_INIT();
    GC_allow_register_threads();
}
static void *subject_attach(void) {
    struct GC_stack_base base;
    if (!GC_thread_is_registered() && GC_get_stack_base(&base) == GC_SUCCESS)
        GC_register_my_thread(&base);
    return NULL;
}
static void *subject_state(size_t bytes) {
    return GC_MALLOC_UNCOLLECTABLE(bytes);
}
LOOP void *subject_new(void *t, void *s, size_t size) {
    (void)t, (void)s;
    return GC_MALLOC_ATOMIC(size);
}

#include "bare.h"

#include "loops.h"
