/* SPDX-License-Identifier: MIT */
/* heap_tuning.h - tunables of heaps: their names, and the environment through which heaps take
 * them.
 */
#ifndef TAILRACE_RUN_HEAP_TUNING_H
#define TAILRACE_RUN_HEAP_TUNING_H

#include <stdbool.h>
#include <stddef.h>

/* True if the heap has a tunable of this key (of the given length). */
bool heap_has_tunable(const char *heap, const char *key, size_t key_length);

/* "key=default ..." of a heap, or "". */
void heap_tunables_text(const char *heap, char *text, size_t text_bytes);

/* Sets this process's environment to what `tune` ("key=value heap:key=value", checked) says of the
 * heap. Its variables that nothing is said of are taken out, so that a known heap without tuning is
 * one with its defaults; those of a heap given by its path stay as they are. */
void heap_tune(const char *heap, const char *tune);

#endif
