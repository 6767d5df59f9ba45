/* SPDX-License-Identifier: MIT */
/* heap_served.h - which library serves malloc in this very process. */
#ifndef TAILRACE_RUN_HEAP_SERVED_H
#define TAILRACE_RUN_HEAP_SERVED_H

#include <stdbool.h>
#include <stddef.h>

/* Writes the real path of the file that malloc comes from and that library's version, as it tells
 * it itself or as its file name ends, else "unknown": of the heap, where its calls are counted,
 * too. Call it from a worker, before other threads. */
void heap_served(char *path, size_t path_bytes, char *version, size_t version_bytes);

/* True if malloc, being served from `path`, is what was asked for: the library `wanted`, or for an
 * empty `wanted` the C library (in a sanitizer build the program itself, which holds the runtime).
 */
bool heap_served_is(const char *path, const char *wanted);

#endif
