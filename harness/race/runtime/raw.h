/* SPDX-License-Identifier: MIT */
/* raw.h - system calls without the C library, which a sanitizer would see or intercept.
 *
 * x86-64 Linux. None touches errno; failures are negative numbers. Safe from any thread and from
 * signal handlers.
 */
#ifndef TAILRACE_RACE_RUNTIME_RAW_H
#define TAILRACE_RACE_RUNTIME_RAW_H

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>

#define RAW_SECOND_NS 1000000000ull

static inline long raw_call(long number, long a, long b, long c, long d) {
    long result;
    register long r10 __asm__("r10") = d;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
                     : "rcx", "r11", "memory");
    return result;
}

/* Sleeps while *word is value, at most ns; -EINTR after any signal handler, even with SA_RESTART,
 * since there is a timeout. */
static inline long raw_futex_wait(_Atomic uint32_t *word, uint32_t value, uint64_t ns) {
    struct timespec limit = {(time_t)(ns / RAW_SECOND_NS), (long)(ns % RAW_SECOND_NS)};
    return raw_call(SYS_futex, (long)word, FUTEX_WAIT_PRIVATE, (long)value, (long)&limit);
}

static inline void raw_futex_wake(_Atomic uint32_t *word) {
    raw_call(SYS_futex, (long)word, FUTEX_WAKE_PRIVATE, 1, 0);
}

/* Blocks every signal; returns what was blocked before, for raw_signals_restore. */
static inline uint64_t raw_signals_block(void) {
    uint64_t all = ~0ull, before = 0;
    raw_call(SYS_rt_sigprocmask, 0 /* SIG_BLOCK */, (long)&all, (long)&before, sizeof(all));
    return before;
}

static inline void raw_signals_restore(uint64_t mask) {
    raw_call(SYS_rt_sigprocmask, 2 /* SIG_SETMASK */, (long)&mask, 0, sizeof(mask));
}

static inline uint64_t raw_now_ns(clockid_t clock) {
    struct timespec now = {0, 0};
    raw_call(SYS_clock_gettime, clock, (long)&now, 0, 0);
    return (uint64_t)now.tv_sec * RAW_SECOND_NS + (uint64_t)now.tv_nsec;
}

static inline void raw_sleep_ns(uint64_t ns) {
    struct timespec span = {(time_t)(ns / RAW_SECOND_NS), (long)(ns % RAW_SECOND_NS)};
    raw_call(SYS_nanosleep, (long)&span, 0, 0, 0);
}

static inline void raw_yield(void) {
    raw_call(SYS_sched_yield, 0, 0, 0, 0);
}

static inline int raw_tid(void) {
    return (int)raw_call(SYS_gettid, 0, 0, 0, 0);
}

static inline int raw_pid(void) {
    return (int)raw_call(SYS_getpid, 0, 0, 0, 0);
}

static inline int raw_open(const char *path, int flags, int mode) {
    return (int)raw_call(SYS_openat, AT_FDCWD, (long)path, flags, mode);
}

static inline long raw_read(int fd, void *bytes, size_t size) {
    return raw_call(SYS_read, fd, (long)bytes, (long)size, 0);
}

static inline long raw_write(int fd, const void *bytes, size_t size) {
    return raw_call(SYS_write, fd, (long)bytes, (long)size, 0);
}

static inline void raw_close(int fd) {
    raw_call(SYS_close, fd, 0, 0, 0);
}

static inline _Noreturn void raw_exit(int status) {
    for (;;)
        raw_call(SYS_exit_group, status, 0, 0, 0);
}

/* A thread of the process that the C library knows nothing of; run never returns and calls nothing
 * but raw_ functions. Its thread-local storage is the caller's. */
static inline long raw_thread(void *stack_top, void (*run)(void)) {
    long flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
    long result;
    __asm__ volatile("syscall\n\t"
                     "test %%rax, %%rax\n\t"
                     "jnz 1f\n\t"
                     "xor %%ebp, %%ebp\n\t"
                     "call *%[run]\n\t"
                     "ud2\n\t"
                     "1:"
                     : "=a"(result)
                     : "a"((long)SYS_clone), "D"(flags), "S"(stack_top), "d"(0L), [run] "r"(run)
                     : "rcx", "r11", "r10", "r8", "memory");
    return result;
}

#endif
