/* SPDX-License-Identifier: MIT */
/* tsan.h - tells ThreadSanitizer of an order that a library which it does not see into has made.
 *
 * What came before a release at an address comes before what follows a later acquire there. Between
 * ignore_begin and _end it overlooks what this thread writes, which includes that memory from
 * malloc is new. Nothing in other builds.
 */
#ifndef TAILRACE_MEMORY_TSAN_H
#define TAILRACE_MEMORY_TSAN_H

#if defined(TAILRACE_TSAN)
#include <sanitizer/tsan_interface.h>
#define TSAN_ACQUIRE(at) __tsan_acquire(at)
#define TSAN_RELEASE(at) __tsan_release(at)
void AnnotateIgnoreWritesBegin(const char *file, int line);
void AnnotateIgnoreWritesEnd(const char *file, int line);
#define TSAN_IGNORE_BEGIN() AnnotateIgnoreWritesBegin(__FILE__, __LINE__)
#define TSAN_IGNORE_END() AnnotateIgnoreWritesEnd(__FILE__, __LINE__)
#else
#define TSAN_ACQUIRE(at) ((void)(at))
#define TSAN_RELEASE(at) ((void)(at))
#define TSAN_IGNORE_BEGIN() ((void)0)
#define TSAN_IGNORE_END() ((void)0)
#endif

#endif
