/* SPDX-License-Identifier: MIT */
/* wrap_wait.c - conditions, semaphores, barriers, pthread_once and sleeps. */
#include "race/runtime/wrap.h"

#include <semaphore.h>
#include <unistd.h>

enum {
    COND_MONOTONIC = 2,        /* of glibc's __wrefs */
    BARRIER_LOOKS_MAX = 20000, /* until a thread counts as gone astray between us and the barrier */
    BARRIER_LOOK_NS = 50000,
    BARRIER_YIELDS = 200,
};

bool tailrace_valid(const struct timespec *limit) {
    return limit->tv_nsec >= 0 && limit->tv_nsec < (long)RAW_SECOND_NS;
}

uint64_t tailrace_deadline(const struct timespec *limit) {
    return limit->tv_sec < 0 ? 0
                             : (uint64_t)limit->tv_sec * RAW_SECOND_NS + (uint64_t)limit->tv_nsec;
}

__attribute__((weak)) int __real_pthread_mutex_lock(pthread_mutex_t *mutex);
__attribute__((weak)) int __real_pthread_mutex_unlock(pthread_mutex_t *mutex);

static void cancel_here(struct task *self) {
    STORE(self->cancelled, false);
    pthread_testcancel();
}

static int lock_again(struct task *self, pthread_mutex_t *mutex, const void *caller) {
    struct wait wait = {.kind = WAIT_MUTEX, .object = mutex, .caller = caller};
    self->wait = wait;
    tailrace_wait(self);
    return __real_pthread_mutex_lock(mutex);
}

/* Between unlock and lock: until signalled, or without, which POSIX allows. */
static enum woke cond_wait(struct task *self, const struct wait *wait) {
    if (tailrace_spurious && rng_below(&tailrace_rng, tailrace_spurious) == 0) {
        tailrace_point(self, NULL);
        return WOKE_READY;
    }
    self->wait = *wait;
    return tailrace_wait(self);
}

/* -1: do the real call, outside. */
static int cond(struct task *self, pthread_cond_t *cond, pthread_mutex_t *mutex, struct wait wait) {
    wait.kind = WAIT_COND;
    wait.object = cond;
    wait.came_for = mutex;
    wait.cancellable = true;
    if (!tailrace_wait_for(self, wait))
        return -1;
    wait = self->wait;
    STORE(self->woken, false);
    int error = __real_pthread_mutex_unlock(mutex);
    if (error)
        return error;
    enum woke woke = cond_wait(self, &wait);
    error = lock_again(self, mutex, wait.caller);
    if (woke == WOKE_CANCEL)
        cancel_here(self);
    return error ? error : woke == WOKE_TIMEOUT ? ETIMEDOUT : 0;
}

#define COND(name, wait_, parameters, arguments, is_valid)                                         \
    __attribute__((weak)) int __real_##name parameters;                                            \
    int __wrap_##name parameters;                                                                  \
    int __wrap_##name parameters {                                                                 \
        struct task *self = UNLIKELY(LOAD(tailrace_on)) ? tailrace_enter() : NULL;                 \
        if (self && is_valid) {                                                                    \
            frame_enter(CALLER);                                                                   \
            struct wait wait = wait_;                                                              \
            wait.caller = CALLER;                                                                  \
            int result = cond(self, c, m, wait);                                                   \
            if (result < 0) {                                                                      \
                tailrace_leave(self);                                                              \
                result = __real_##name arguments;                                                  \
                tailrace_arrive(self);                                                             \
            }                                                                                      \
            frame_leave();                                                                         \
            return result;                                                                         \
        }                                                                                          \
        JUMP __real_##name arguments;                                                              \
    }

static struct wait until(clockid_t clock, const struct timespec *limit) {
    struct wait wait = {.timed = true, .clock = clock, .deadline_ns = tailrace_deadline(limit)};
    return wait;
}

static clockid_t clock_of(const pthread_cond_t *cond) {
    return cond->__data.__wrefs & COND_MONOTONIC ? CLOCK_MONOTONIC : CLOCK_REALTIME;
}

COND(pthread_cond_wait, {0}, (pthread_cond_t * c, pthread_mutex_t *m), (c, m), true)
COND(pthread_cond_timedwait, until(clock_of(c), limit),
     (pthread_cond_t * c, pthread_mutex_t *m, const struct timespec *limit), (c, m, limit),
     tailrace_valid(limit))
COND(pthread_cond_clockwait, until(clock, limit),
     (pthread_cond_t * c, pthread_mutex_t *m, clockid_t clock, const struct timespec *limit),
     (c, m, clock, limit), tailrace_valid(limit))

/* Wakes one or all of those that wait with us; the real call is for those that wait for real.
 * Without the lock, as a signal handler may come here; drawn: by the one that has the turn. */
static void wake_waiters(const pthread_cond_t *cond, bool all, bool drawn) {
    uint32_t end = LOAD(tailrace_task_end), found = 0;
    struct task *chosen = NULL;
    for (uint32_t i = 0; i < end; i++) {
        struct task *task = &tailrace_tasks[i];
        if (LOAD(task->state) != TASK_BLOCKED || task->wait.kind != WAIT_COND ||
            task->wait.object != cond || LOAD(task->woken))
            continue;
        if (all)
            STORE(task->woken, true);
        else if (!chosen || (drawn && rng_below(&tailrace_rng, ++found) == 0))
            chosen = task;
        found += found == 0;
    }
    if (chosen)
        STORE(chosen->woken, true);
}

static void signal_point(const pthread_cond_t *cond, bool all) {
    struct task *self = tailrace_enter();
    if (self) {
        tailrace_point(self, NULL);
        self->fresh = true;
    }
    if (LOAD(tailrace_on) > SCHEDULE_DELAY)
        wake_waiters(cond, all, self != NULL);
}

WRAP(int, pthread_cond_signal, pthread_cond_t *cond) {
    if (UNLIKELY(LOAD(tailrace_on)))
        signal_point(cond, false);
    JUMP __real_pthread_cond_signal(cond);
}

WRAP(int, pthread_cond_broadcast, pthread_cond_t *cond) {
    if (UNLIKELY(LOAD(tailrace_on)))
        signal_point(cond, true);
    JUMP __real_pthread_cond_broadcast(cond);
}

/* Semaphores. The real wait comes when it does not block, or to say that time is over. */
enum sem_next { SEM_REAL, SEM_OUTSIDE, SEM_INTERRUPTED };

static enum sem_next sem_point(sem_t *sem, struct wait wait) {
    struct task *self = tailrace_self();
    wait.kind = WAIT_SEM;
    wait.object = sem;
    wait.cancellable = true;
    if (!tailrace_wait_for(self, wait))
        return SEM_OUTSIDE;
    wait = self->wait;
    for (;;) {
        enum woke woke = tailrace_wait(self);
        if (woke == WOKE_SIGNAL)
            return SEM_INTERRUPTED;
        if (woke != WOKE_CANCEL)
            return SEM_REAL;
        cancel_here(self);
        self->wait = wait;
    }
}

#define SEM(name, wait_, parameters, arguments, is_valid)                                          \
    __attribute__((weak)) int __real_##name parameters;                                            \
    int __wrap_##name parameters;                                                                  \
    int __wrap_##name parameters {                                                                 \
        struct task *self = UNLIKELY(LOAD(tailrace_on)) ? tailrace_enter() : NULL;                 \
        if (self && is_valid) {                                                                    \
            struct wait wait = wait_;                                                              \
            wait.caller = CALLER;                                                                  \
            enum sem_next next = sem_point(sem, wait);                                             \
            if (next == SEM_INTERRUPTED) {                                                         \
                errno = EINTR;                                                                     \
                return -1;                                                                         \
            }                                                                                      \
            if (next == SEM_OUTSIDE) {                                                             \
                frame_enter(CALLER);                                                               \
                tailrace_leave(self);                                                              \
                int result = __real_##name arguments;                                              \
                tailrace_arrive(self);                                                             \
                frame_leave();                                                                     \
                return result;                                                                     \
            }                                                                                      \
        }                                                                                          \
        JUMP __real_##name arguments;                                                              \
    }

SEM(sem_wait, {0}, (sem_t * sem), (sem), true)
SEM(sem_timedwait, until(CLOCK_REALTIME, limit), (sem_t * sem, const struct timespec *limit),
    (sem, limit), tailrace_valid(limit))
SEM(sem_clockwait, until(clock, limit),
    (sem_t * sem, clockid_t clock, const struct timespec *limit), (sem, clock, limit),
    tailrace_valid(limit))

struct glibc_barrier {
    uint32_t in, round, count;
};

static uint32_t barrier_in(const pthread_barrier_t *barrier) {
    return __atomic_load_n(&((const struct glibc_barrier *)barrier)->in, __ATOMIC_RELAXED);
}

/* The first to wait of those that wait with us, and how many there are. */
static struct task *barrier_first(const pthread_barrier_t *barrier, uint32_t *waiting) {
    struct task *first = NULL;
    uint32_t end = LOAD(tailrace_task_end);
    *waiting = 0;
    for (uint32_t i = 0; i < end; i++) {
        struct task *task = &tailrace_tasks[i];
        if (LOAD(task->state) != TASK_BLOCKED || task->wait.kind != WAIT_BARRIER ||
            task->wait.object != barrier)
            continue;
        ++*waiting;
        if (!first || task->wait.order < first->wait.order)
            first = task;
    }
    return first;
}

/* Sends all but the caller, the last to come, into the real barrier, one after another. */
static void barrier_release(const pthread_barrier_t *barrier, uint32_t others) {
    for (; others > 0; others--) {
        uint32_t before = barrier_in(barrier), waiting;
        struct task *first = barrier_first(barrier, &waiting);
        if (!first)
            return;
        STORE(first->state, TASK_READY);
        tailrace_wake(first, GO_REAL);
        for (int look = 0; barrier_in(barrier) == before && look < BARRIER_LOOKS_MAX; look++) {
            if (look < BARRIER_YIELDS)
                raw_yield();
            else
                raw_sleep_ns(BARRIER_LOOK_NS);
        }
    }
}

WRAP(int, pthread_barrier_wait, pthread_barrier_t *barrier) {
    struct task *self = UNLIKELY(LOAD(tailrace_on)) ? tailrace_enter() : NULL;
    if (!self)
        JUMP __real_pthread_barrier_wait(barrier);
    frame_enter(CALLER);
    struct wait wait = {.kind = WAIT_BARRIER, .object = barrier, .caller = CALLER};
    uint32_t waiting, count = ((struct glibc_barrier *)barrier)->count;
    if (!tailrace_wait_for(self, wait)) {
        tailrace_leave(self);
    } else {
        self->wait.order = LOAD(tailrace_points);
        barrier_first(barrier, &waiting);
        if (waiting + 1 >= count)
            barrier_release(barrier, count - 1);
        else
            tailrace_wait(self);
    }
    int result = __real_pthread_barrier_wait(barrier);
    tailrace_arrive(self);
    tailrace_point(self, NULL);
    frame_leave();
    return result;
}

WRAP(int, pthread_once, pthread_once_t *once, void (*run)(void)) {
    struct task *self = UNLIKELY(LOAD(tailrace_on)) ? tailrace_enter() : NULL;
    if (!self)
        JUMP __real_pthread_once(once, run);
    frame_enter(CALLER);
    struct wait wait = {.kind = WAIT_ONCE, .object = once, .caller = CALLER};
    if (tailrace_wait_for(self, wait))
        tailrace_wait(self);
    if (self->once_depth < ONCE_DEPTH_MAX)
        self->once[self->once_depth] = once;
    self->once_depth++;
    int result = __real_pthread_once(once, run);
    self->once_depth--;
    frame_leave();
    return result;
}
