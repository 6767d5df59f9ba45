/* SPDX-License-Identifier: MIT */
/* wrap_lock.c - mutexes, read-write locks and spin locks. */
#include "race/runtime/wrap.h"

#include <limits.h>
#include <semaphore.h>

/* A point; then until the lock is free. False: the real call may block. */
static bool lock_point(struct task *self, enum wait_kind kind, const volatile void *lock,
                       const void *caller) {
    struct wait wait = {.kind = kind, .object = (const void *)lock, .caller = caller};
    return tailrace_wait_for(self, wait) && tailrace_wait(self) == WOKE_READY;
}

static bool timed_point(struct task *self, enum wait_kind kind, const void *lock, clockid_t clock,
                        const struct timespec *limit, const void *caller) {
    if (!tailrace_valid(limit))
        return true; /* the real call says so at once */
    struct wait wait = {.kind = kind,
                        .object = lock,
                        .caller = caller,
                        .timed = true,
                        .clock = clock,
                        .deadline_ns = tailrace_deadline(limit)};
    if (!tailrace_wait_for(self, wait))
        return false;
    tailrace_wait(self);
    return true;
}

/* Calls the real one beside the other threads. */
#define OUTSIDE(self, call)                                                                        \
    do {                                                                                           \
        frame_enter(CALLER);                                                                       \
        tailrace_leave(self);                                                                      \
        int result_ = call;                                                                        \
        tailrace_arrive(self);                                                                     \
        frame_leave();                                                                             \
        return result_;                                                                            \
    } while (0)

#define LOCK(name, kind, type)                                                                     \
    WRAP(int, name, type *lock) {                                                                  \
        struct task *self = UNLIKELY(LOAD(tailrace_on)) ? tailrace_enter() : NULL;                 \
        if (self && !lock_point(self, kind, lock, CALLER))                                         \
            OUTSIDE(self, __real_##name(lock));                                                    \
        JUMP __real_##name(lock);                                                                  \
    }
#define TIMED(name, kind, type)                                                                    \
    WRAP(int, name, type *lock, const struct timespec *limit) {                                    \
        struct task *self = UNLIKELY(LOAD(tailrace_on)) ? tailrace_enter() : NULL;                 \
        if (self && !timed_point(self, kind, lock, CLOCK_REALTIME, limit, CALLER))                 \
            OUTSIDE(self, __real_##name(lock, limit));                                             \
        JUMP __real_##name(lock, limit);                                                           \
    }
#define CLOCKED(name, kind, type)                                                                  \
    WRAP(int, name, type *lock, clockid_t clock, const struct timespec *limit) {                   \
        struct task *self = UNLIKELY(LOAD(tailrace_on)) ? tailrace_enter() : NULL;                 \
        if (self && !timed_point(self, kind, lock, clock, limit, CALLER))                          \
            OUTSIDE(self, __real_##name(lock, clock, limit));                                      \
        JUMP __real_##name(lock, clock, limit);                                                    \
    }
/* What never blocks. */
#define POINT(name, type)                                                                          \
    WRAP(int, name, type *lock) {                                                                  \
        struct task *self = UNLIKELY(LOAD(tailrace_on)) ? tailrace_enter() : NULL;                 \
        if (self) {                                                                                \
            tailrace_point(self, NULL);                                                            \
            self->fresh = true;                                                                    \
        }                                                                                          \
        JUMP __real_##name(lock);                                                                  \
    }

LOCK(pthread_mutex_lock, WAIT_MUTEX, pthread_mutex_t)
TIMED(pthread_mutex_timedlock, WAIT_MUTEX, pthread_mutex_t)
CLOCKED(pthread_mutex_clocklock, WAIT_MUTEX, pthread_mutex_t)
POINT(pthread_mutex_trylock, pthread_mutex_t)
POINT(pthread_mutex_unlock, pthread_mutex_t)
POINT(pthread_mutex_destroy, pthread_mutex_t)

LOCK(pthread_rwlock_rdlock, WAIT_READ, pthread_rwlock_t)
LOCK(pthread_rwlock_wrlock, WAIT_WRITE, pthread_rwlock_t)
TIMED(pthread_rwlock_timedrdlock, WAIT_READ, pthread_rwlock_t)
TIMED(pthread_rwlock_timedwrlock, WAIT_WRITE, pthread_rwlock_t)
CLOCKED(pthread_rwlock_clockrdlock, WAIT_READ, pthread_rwlock_t)
CLOCKED(pthread_rwlock_clockwrlock, WAIT_WRITE, pthread_rwlock_t)
POINT(pthread_rwlock_tryrdlock, pthread_rwlock_t)
POINT(pthread_rwlock_trywrlock, pthread_rwlock_t)
POINT(pthread_rwlock_unlock, pthread_rwlock_t)

typedef volatile int spin_word; /* pthread_spinlock_t is volatile already */
LOCK(pthread_spin_lock, WAIT_SPIN, spin_word)
POINT(pthread_spin_trylock, spin_word)
POINT(pthread_spin_unlock, spin_word)

POINT(sem_trywait, sem_t)
POINT(sem_post, sem_t)
