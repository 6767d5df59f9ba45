/* SPDX-License-Identifier: MIT */
/* heap_count.c - libtailrace-count.so: counts heap calls and hands them to the next in line. */
#include "measure/heap_count.h"

#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static struct {
    void *(*malloc)(size_t), *(*calloc)(size_t, size_t), *(*realloc)(void *, size_t);
    void *(*aligned_alloc)(size_t, size_t), *(*memalign)(size_t, size_t);
    void *(*valloc)(size_t), *(*pvalloc)(size_t);
    int (*posix_memalign)(void **, size_t, size_t);
    void (*free)(void *);
    int (*pthread_create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    int (*pthread_join)(pthread_t, void **);
} next;
static enum { UNKNOWN, SEARCHING, KNOWN } state;

/* relaxed: sums that are read when the threads have met */
static struct {
    _Alignas(64) _Atomic uint64_t calls;
    _Atomic uint64_t bytes, frees;
} counters;

static void find(const char *name, void *function) {
    void *found = dlsym(RTLD_NEXT, name);
    memcpy(function, &found, sizeof found);
}

/* At the first call, which the dynamic linker makes before there is a second thread. False while
 * dlsym is at it: should it want memory it does without. */
static bool search(void) {
    if (state == SEARCHING)
        return false;
    state = SEARCHING;
    find("malloc", &next.malloc);
    find("calloc", &next.calloc);
    find("realloc", &next.realloc);
    find("aligned_alloc", &next.aligned_alloc);
    find("memalign", &next.memalign);
    find("valloc", &next.valloc);
    find("pvalloc", &next.pvalloc);
    find("posix_memalign", &next.posix_memalign);
    find("free", &next.free);
    find("pthread_create", &next.pthread_create);
    find("pthread_join", &next.pthread_join);
    state = KNOWN;
    return true;
}

/* What a heap asks for while it serves a call, as scudo does by way of backtrace, is not the
 * program's. The model: one that may itself allocate will not do. */
static _Thread_local __attribute__((tls_model("initial-exec"))) unsigned depth;

static inline bool enter(void) {
    bool known = __builtin_expect(state == KNOWN, 1) || search();
    depth += known;
    return known;
}

static inline void add(_Atomic uint64_t *counter, uint64_t amount) {
    atomic_fetch_add_explicit(counter, amount, memory_order_relaxed);
}
/* Ends what enter began. */
static inline void *counted(void *memory, size_t bytes) {
    if (--depth == 0 && memory) {
        add(&counters.calls, 1);
        add(&counters.bytes, bytes);
    }
    return memory;
}

void tailrace_count_read(struct heap_count *count) {
    count->calls = atomic_load_explicit(&counters.calls, memory_order_relaxed);
    count->bytes = atomic_load_explicit(&counters.bytes, memory_order_relaxed);
    count->frees = atomic_load_explicit(&counters.frees, memory_order_relaxed);
}
void *tailrace_count_served(void) {
    void *served;
    free(malloc(1)); /* so that it is known */
    memcpy(&served, &next.malloc, sizeof served);
    return served;
}

void *malloc(size_t bytes) {
    return enter() ? counted(next.malloc(bytes), bytes) : NULL;
}
void *calloc(size_t count, size_t bytes) {
    return enter() ? counted(next.calloc(count, bytes), count * bytes) : NULL;
}
void *aligned_alloc(size_t alignment, size_t bytes) {
    return enter() ? counted(next.aligned_alloc(alignment, bytes), bytes) : NULL;
}
void *memalign(size_t alignment, size_t bytes) {
    return enter() ? counted(next.memalign(alignment, bytes), bytes) : NULL;
}
void *valloc(size_t bytes) {
    return enter() ? counted(next.valloc(bytes), bytes) : NULL;
}
void *pvalloc(size_t bytes) {
    return enter() ? counted(next.pvalloc(bytes), bytes) : NULL;
}
int posix_memalign(void **memory, size_t alignment, size_t bytes) {
    if (!enter())
        return ENOMEM;
    int error = next.posix_memalign(memory, alignment, bytes);
    counted(error ? NULL : *memory, bytes);
    return error;
}

void free(void *memory) {
    if (!memory || !enter())
        return;
    next.free(memory);
    if (--depth == 0)
        add(&counters.frees, 1);
}

static void *resize(void *memory, size_t bytes) {
    void *resized = enter() ? counted(next.realloc(memory, bytes), bytes) : NULL;
    if (depth == 0 && memory && !resized && bytes == 0)
        add(&counters.frees, 1);
    return resized;
}
void *realloc(void *memory, size_t bytes) {
    return resize(memory, bytes);
}
/* Not the next one's: it would come back by way of realloc. */
void *reallocarray(void *memory, size_t count, size_t bytes) {
    size_t all;
    if (__builtin_mul_overflow(count, bytes, &all)) {
        errno = ENOMEM;
        return NULL;
    }
    return resize(memory, all);
}

/* What a thread itself costs depends on whether one that has ended has left its own: it is not
 * counted. */
int pthread_create(pthread_t *id, const pthread_attr_t *attributes, void *(*start)(void *),
                   void *argument) {
    enter();
    int error = next.pthread_create(id, attributes, start, argument);
    depth--;
    return error;
}
int pthread_join(pthread_t id, void **result) {
    enter();
    int error = next.pthread_join(id, result);
    depth--;
    return error;
}
