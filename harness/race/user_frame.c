/* SPDX-License-Identifier: MIT */
/* user_frame.c - tells the program's own functions from those of libraries, interceptors and
 * run-times. */
#include "race/parse.h"

#include <string.h>

static bool any_begins(const char *text, const char *const list[]) {
    for (; *list; list++)
        if (text_begins(text, *list))
            return true;
    return false;
}

static bool any_in(const char *text, const char *const list[]) {
    for (; *list; list++)
        if (strstr(text, *list))
            return true;
    return false;
}

static bool any_is(const char *text, const char *const list[]) {
    for (; *list; list++)
        if (strcmp(text, *list) == 0)
            return true;
    return false;
}

/* Sources of the sanitizers' run-times are C++: a user's tsan_queue.c is none. */
static bool is_runtime_source(const char *base) {
    static const char *const begins[] = {"asan_",  "hwasan_",    "tsan_",         "msan_", "lsan_",
                                         "ubsan_", "sanitizer_", "interception_", NULL};
    return any_begins(base, begins) && (strstr(base, ".cpp") || strstr(base, ".cc") ||
                                        strstr(base, ".inc") || strstr(base, ".S"));
}

static bool is_valgrind_source(const char *base) {
    static const char *const begins[] = {"vg_replace_",  "vg_intercept", "hg_intercepts",
                                         "drd_pthread_", "drd_qtcore_",  NULL};
    return any_begins(base, begins);
}

static bool is_library_file(const char *file) {
    static const char *const parts[] = {
        "/compiler-rt/",      "/libsanitizer/",        "/sysdeps/",
        "/include/c++/",      "harness/race/runtime/", "/library/std/src/",
        "/library/core/src/", "/library/alloc/src/",   NULL};
    /* glibc's, as its debug information names them: with and without the leading dot. Not its
     * folders alone: a program may have a malloc/ of its own. */
    static const char *const begins[] = {
        "/usr/include/", "/lib/x86_64", "/usr/lib/",       "../sysdeps/",     "sysdeps/",
        "./sysdeps/",    "./nptl/",     "nptl/",           "./csu/",          "csu/libc",
        "csu/../",       "./malloc/",   "malloc/malloc.c", "malloc/arena.c",  "./string/",
        "string/../",    "./stdlib/",   "stdlib/exit.c",   "stdlib/abort.c",  "stdlib/msort.c",
        "stdlib/cxa_",   "stdlib/../",  "./stdio-common/", "stdio-common/",   "./libio/",
        "libio/",        "./misc/",     "misc/../",        "./io/",           "io/../",
        "./posix/",      "posix/../",   "./signal/",       "signal/../",      "./time/",
        "time/../",      "./elf/",      "elf/dl-",         "elf/../",         "./debug/",
        "debug/../",     "./socket/",   "./assert/",       "assert/assert.c", NULL};
    const char *slash = strrchr(file, '/'), *base = slash ? slash + 1 : file;
    return any_begins(file, begins) || any_in(file, parts) || is_runtime_source(base) ||
           is_valgrind_source(base);
}

static bool is_library_function(const char *name) {
    static const char *const begins[] = {
        "__interceptor_",  "___interceptor_",   "__asan",      "__tsan",  "__msan",  "__ubsan",
        "__lsan",          "__hwasan",          "__sanitizer", "__wrap_", "__real_", "operator new",
        "operator delete", "asan_thread_start", "__libc_",     "__GI_",   NULL};
    return any_begins(name, begins);
}

/* Of frames without a file: what interceptors and the C library are called. */
static bool is_library_name(const char *name) {
    static const char *const begins[] = {
        "pthread_", "sem_",      "std::",  "void std::", "thrd_", "mtx_",
        "cnd_",     "__gnu_cxx", "__cxa_", "_IO_",       "__",    NULL};
    static const char *const names[] = {"malloc",
                                        "calloc",
                                        "realloc",
                                        "free",
                                        "memalign",
                                        "aligned_alloc",
                                        "posix_memalign",
                                        "valloc",
                                        "pvalloc",
                                        "strdup",
                                        "strndup",
                                        "memcpy",
                                        "memmove",
                                        "memset",
                                        "memcmp",
                                        "memchr",
                                        "strlen",
                                        "strnlen",
                                        "strcpy",
                                        "strncpy",
                                        "strcat",
                                        "strncat",
                                        "strcmp",
                                        "strncmp",
                                        "strchr",
                                        "strrchr",
                                        "strstr",
                                        "read",
                                        "write",
                                        "open",
                                        "close",
                                        "printf",
                                        "fprintf",
                                        "snprintf",
                                        "vfprintf",
                                        "puts",
                                        "fputs",
                                        "fwrite",
                                        "fread",
                                        "fopen",
                                        "fclose",
                                        "usleep",
                                        "sleep",
                                        "raise",
                                        "abort",
                                        "exit",
                                        "clone",
                                        "clone3",
                                        "start_thread",
                                        "_start",
                                        "qsort",
                                        "signal",
                                        "sigaction",
                                        "CallUserSignalHandler",
                                        "bcmp",
                                        "reallocarray",
                                        "malloc_usable_size",
                                        "gsignal",
                                        NULL};
    bool object = strstr(name, ".so") && strstr(name, "+0x"); /* libc.so.6+0x27249 */
    return !*name || object || any_begins(name, begins) || any_is(name, names);
}

/* Frames with debug information come first: a library without it lies between two of them. */
const struct frame *stack_user_frame(const struct stack *stack) {
    uint32_t count = stack->count < FINDING_FRAMES_MAX ? stack->count : FINDING_FRAMES_MAX;
    for (uint32_t i = 0; i < count; i++) {
        const struct frame *frame = &stack->frames[i];
        if (*frame->file && !is_library_file(frame->file) && !is_library_function(frame->function))
            return frame;
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct frame *frame = &stack->frames[i];
        char plain[sizeof frame->function];
        text_set_part(plain, sizeof plain, frame->function, strcspn(frame->function, "@"));
        if (!*frame->file && !is_library_function(plain) && !is_library_name(plain))
            return frame;
    }
    return count ? &stack->frames[0] : NULL;
}
