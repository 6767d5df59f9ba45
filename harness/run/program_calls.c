/* SPDX-License-Identifier: MIT */
/* program_calls.c - preloaded into any program: counts its calls of malloc, calloc and realloc.
 *
 * tailrace-heap-calls.so stands before the C library's malloc, which goes on serving, and counts in
 * the file that TAILRACE_HEAP_CALLS names (8 bytes), which all processes of the program share.
 * Threads count at once: relaxed, as nothing is read before all have ended.
 */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

typedef _Atomic(uint64_t) counter;

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *old, size_t bytes);

static counter before; /* the file is there */
static counter *calls = &before;

__attribute__((constructor)) static void share(void) {
    const char *file = getenv("TAILRACE_HEAP_CALLS");
    int fd = file ? open(file, O_RDWR | O_CLOEXEC) : -1;
    void *shared = fd < 0 ? MAP_FAILED
                          : mmap(NULL, sizeof(counter), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd >= 0)
        close(fd);
    if (shared == MAP_FAILED)
        return;
    calls = shared;
    atomic_fetch_add_explicit(calls, atomic_load_explicit(&before, memory_order_relaxed),
                              memory_order_relaxed);
}

static void count_one(void) {
    atomic_fetch_add_explicit(calls, 1, memory_order_relaxed);
}

void *malloc(size_t bytes) {
    count_one();
    return __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes) {
    count_one();
    return __libc_calloc(count, bytes);
}

void *realloc(void *old, size_t bytes) {
    count_one();
    return __libc_realloc(old, bytes);
}
