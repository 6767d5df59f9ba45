/* SPDX-License-Identifier: MIT */
/* case.h - what the seeded bugs of the race lab share: their oracle, and a mutex that clang's
 * -Wthread-safety knows.
 *
 * A case is one file, compiled twice: -DBUG=1 has the defect, -DBUG=0 is the correct program. Lines
 * that a right report names end in a comment, RACE and a letter for the accesses of a data race, or
 * FAULT and a letter for any other defect. It exits with 0 where nothing was seen, and by oracle()
 * where its own check fails; a hang is ended from outside.
 */
#ifndef TAILRACE_RACES_CASE_H
#define TAILRACE_RACES_CASE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#if !defined(BUG)
#error "a case is compiled with -DBUG=1 or -DBUG=0"
#endif

#if defined(__clang__)
#define TS(attribute) __attribute__((attribute))
#else
#define TS(attribute)
#endif
#define GUARDED_BY(mutex) TS(guarded_by(mutex))
#define PT_GUARDED_BY(mutex) TS(pt_guarded_by(mutex))
#define REQUIRES(mutex) TS(requires_capability(mutex))

#define CASE_ORACLE_STATUS 41

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"

/* Ends the program, with a sentence, where what must hold does not. Any thread may call it. */
static void oracle(bool holds, const char *sentence) {
    if (holds)
        return;
    fprintf(stderr, "oracle: %s\n", sentence);
    /* At once: other threads go on, and tools would call them and what is theirs leaked. */
    syscall(SYS_exit_group, CASE_ORACLE_STATUS);
}

/* A mutex that -Wthread-safety checks; use it for cases that it shall see, pthread's otherwise. */
struct TS(capability("mutex")) lock {
    pthread_mutex_t mutex;
};
#define LOCK_INITIALIZER                                                                           \
    { PTHREAD_MUTEX_INITIALIZER }

static void lock_acquire(struct lock *lock) TS(acquire_capability(*lock))
    TS(no_thread_safety_analysis) {
    pthread_mutex_lock(&lock->mutex);
}

static void lock_release(struct lock *lock) TS(release_capability(*lock))
    TS(no_thread_safety_analysis) {
    pthread_mutex_unlock(&lock->mutex);
}

#pragma GCC diagnostic pop

#endif
