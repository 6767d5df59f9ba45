/* SPDX-License-Identifier: MIT */
/* heap_count.h - what libtailrace-count.so, preloaded in front of a heap, has counted so far.
 *
 * A call counts where it gave memory, with the bytes that it asked for: malloc, calloc, realloc,
 * reallocarray (these with the new size), aligned_alloc, posix_memalign, memalign, valloc, pvalloc.
 * frees: free of what is not NULL, and a realloc to 0 bytes that gives nothing back. Only what goes
 * through these names is seen: neither C++'s operators nor functions that a heap has besides. Not
 * counted: what the heap asks for while it serves a call, what pthread_create and pthread_join do.
 */
#ifndef TAILRACE_MEASURE_HEAP_COUNT_H
#define TAILRACE_MEASURE_HEAP_COUNT_H

#include <stdint.h>

struct heap_count {
    uint64_t calls, bytes, frees;
};

/* Both may be called from any thread and allocate nothing. They are looked up by dlsym: who is not
 * run under the library has neither. served: the malloc that the library hands its calls to. */
void tailrace_count_read(struct heap_count *count);
void *tailrace_count_served(void);

#endif
