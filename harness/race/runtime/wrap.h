/* SPDX-License-Identifier: MIT */
/* wrap.h - how a wrapper leaves: by a jump, so that tools see the program's own line as caller. */
#ifndef TAILRACE_RACE_RUNTIME_WRAP_H
#define TAILRACE_RACE_RUNTIME_WRAP_H

#include "race/runtime/runtime.h"

/* gcc 12 has no such attribute, but does it at -O2 all the same (a test looks). */
#if defined(__clang__)
#define JUMP __attribute__((musttail)) return
#else
#define JUMP return
#endif

/* Declares the real function, which a program without ThreadSanitizer may lack, and the wrapper. */
#define WRAP(result, name, ...)                                                                    \
    __attribute__((weak)) result __real_##name(__VA_ARGS__);                                       \
    result __wrap_##name(__VA_ARGS__);                                                             \
    result __wrap_##name(__VA_ARGS__)

/* For wrappers that must stay on the stack: puts the caller's line on ThreadSanitizer's own. */
__attribute__((weak)) void __tsan_func_entry(const void *caller);
__attribute__((weak)) void __tsan_func_exit(void);

static inline void frame_enter(const void *caller) {
    if (__tsan_func_entry)
        __tsan_func_entry(caller);
}

static inline void frame_leave(void) {
    if (__tsan_func_exit)
        __tsan_func_exit();
}

#endif
