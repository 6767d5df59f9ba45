/* SPDX-License-Identifier: MIT */
/* wait.c - whether a call would block, seen in the object itself.
 *
 * The objects are glibc's (2.34 and later, x86-64), read and never written: there is no second
 * book-keeping that could differ from what libraries do to the same objects unseen.
 */
#include "race/runtime/runtime.h"

#include <semaphore.h>
#include <signal.h>

enum { MUTEX_RECURSIVE = 1, MUTEX_ERRORCHECK = 2, MUTEX_PROTECT = 64, MUTEX_SHARED = 128 };
#define MUTEX_OWNER_BITS 0x3fffffffu /* of the lock word; above: waiters, owner died */
#define MUTEX_PROTECT_BITS 0x7ffffu  /* above: the ceiling */
enum { RWLOCK_WRITE_LOCKED = 2, RWLOCK_READER_SHIFT = 3 };
enum { COND_SHARED = 1 }; /* of __wrefs */
enum { SPIN_FREE = 1 };

struct glibc_semaphore {
    uint64_t value_and_waiters;
    int shared;
};
struct glibc_barrier {
    uint32_t in, round, count;
    int shared;
};

#define PEEK(field) __atomic_load_n(&(field), __ATOMIC_RELAXED)

static bool mutex_free(const pthread_mutex_t *mutex, int tid) {
    int kind = PEEK(mutex->__data.__kind);
    uint32_t word = (uint32_t)PEEK(mutex->__data.__lock);
    if (!(word & (kind & MUTEX_PROTECT ? MUTEX_PROTECT_BITS : MUTEX_OWNER_BITS)))
        return true;
    bool answers = (kind & 3) == MUTEX_RECURSIVE || (kind & 3) == MUTEX_ERRORCHECK;
    return answers && PEEK(mutex->__data.__owner) == tid;
}

static bool rwlock_free(const pthread_rwlock_t *lock, int tid, bool write) {
    uint32_t readers = PEEK(lock->__data.__readers);
    if (readers & RWLOCK_WRITE_LOCKED)
        return PEEK(lock->__data.__cur_writer) == tid; /* which is an error, told at once */
    return !write || readers >> RWLOCK_READER_SHIFT == 0;
}

/* The initialiser of another thread that runs. Own table: each tool has its own numbers there. */
static bool once_free(const struct task *task) {
    uint32_t end = LOAD(tailrace_task_end);
    for (uint32_t i = 0; i < end; i++) {
        const struct task *other = &tailrace_tasks[i];
        uint32_t state = LOAD(other->state);
        if (other == task || state == TASK_FREE || state == TASK_DONE)
            continue;
        for (uint32_t k = 0; k < other->once_depth && k < ONCE_DEPTH_MAX; k++)
            if (other->once[k] == task->wait.object)
                return false;
    }
    return true;
}

bool tailrace_wait_over(const struct task *task) {
    const void *object = task->wait.object;
    switch (task->wait.kind) {
    case WAIT_MUTEX:
        return mutex_free(object, LOAD(task->tid));
    case WAIT_READ:
        return rwlock_free(object, LOAD(task->tid), false);
    case WAIT_WRITE:
        return rwlock_free(object, LOAD(task->tid), true);
    case WAIT_SPIN:
        return PEEK(*(const int *)object) == SPIN_FREE;
    case WAIT_SEM:
        return (uint32_t)PEEK(((const struct glibc_semaphore *)object)->value_and_waiters) > 0;
    case WAIT_COND:
        return LOAD(task->woken);
    case WAIT_ONCE:
        return once_free(task);
    case WAIT_JOIN:
        return LOAD(((const struct task *)object)->state) == TASK_DONE;
    default: /* barriers: whoever comes last says so; sleep: time only */
        return false;
    }
}

static bool is_shared(const struct wait *wait) {
    const void *object = wait->object;
    switch (wait->kind) {
    case WAIT_MUTEX:
        return PEEK(((const pthread_mutex_t *)object)->__data.__kind) & MUTEX_SHARED;
    case WAIT_READ:
    case WAIT_WRITE:
        return PEEK(((const pthread_rwlock_t *)object)->__data.__shared);
    case WAIT_SEM:
        return PEEK(((const struct glibc_semaphore *)object)->shared);
    case WAIT_COND:
        return PEEK(((const pthread_cond_t *)object)->__data.__wrefs) & COND_SHARED;
    case WAIT_BARRIER:
        return PEEK(((const struct glibc_barrier *)object)->shared);
    default:
        return false;
    }
}

bool tailrace_handlers(bool *restart) {
    struct {
        uintptr_t handler;
        unsigned long flags;
        uintptr_t restorer;
        uint64_t mask;
    } action;
    const uint64_t faults = 1ull << SIGSEGV | 1ull << SIGBUS | 1ull << SIGFPE | 1ull << SIGILL |
                            1ull << SIGABRT | 1ull << SIGTRAP | 1ull << SIGSYS;
    bool any = false, all = true;
    for (int number = 1; number < SIGSYS + 1; number++) {
        if (faults >> number & 1)
            continue;
        action.handler = 0;
        raw_call(SYS_rt_sigaction, number, 0, (long)&action, sizeof(action.mask));
        if (action.handler > 1) {
            any = true;
            all = all && action.flags & SA_RESTART;
        }
    }
    *restart = all;
    return any;
}

/* ThreadSanitizer holds signals back until the thread calls something that it intercepts. */
static void run_signals(void) {
    time(NULL);
}

static uint64_t left_ns(const struct wait *wait) {
    uint64_t now = raw_now_ns(wait->clock);
    return wait->deadline_ns > now ? wait->deadline_ns - now : 0;
}

enum woke tailrace_wait(struct task *self) {
    for (;;) {
        if (tailrace_wait_over(self))
            return WOKE_READY;
        if (self->wait.held) { /* with the turn: the others stand still until its time is up */
            self->wait.held = false;
            raw_sleep_ns(left_ns(&self->wait));
            return tailrace_wait_over(self) ? WOKE_READY : WOKE_TIMEOUT;
        }
        enum woke woke = tailrace_block(self);
        if (woke != WOKE_SIGNAL && woke != WOKE_READY)
            return woke;
        if (woke == WOKE_READY)
            continue;
        struct wait wait = self->wait; /* handlers may wait too */
        run_signals();
        self->wait = wait;
        bool restart;
        tailrace_handlers(&restart);
        if (wait.kind == WAIT_SLEEP || (wait.kind == WAIT_SEM && !restart))
            return WOKE_SIGNAL;
    }
}

bool tailrace_wait_for(struct task *self, struct wait wait) {
    tailrace_point(self, wait.came_for ? wait.came_for : wait.object);
    if (is_shared(&wait))
        return false;
    if (wait.cancellable)
        pthread_testcancel();
    self->wait = wait;
    if (wait.timed)
        tailrace_policy_wait(&self->wait, left_ns(&wait) / 1000000 * 1000000);
    return true;
}

enum woke tailrace_sleep(struct task *self, uint64_t ns, const void *caller) {
    struct wait wait = {.kind = WAIT_SLEEP,
                        .timed = true,
                        .cancellable = true,
                        .clock = CLOCK_MONOTONIC,
                        .caller = caller};
    pthread_testcancel();
    tailrace_yield(self);
    wait.deadline_ns = raw_now_ns(CLOCK_MONOTONIC) + ns;
    self->wait = wait;
    tailrace_policy_wait(&self->wait, ns);
    enum woke woke = tailrace_wait(self);
    run_signals();
    if (woke == WOKE_CANCEL) {
        STORE(self->cancelled, false);
        pthread_testcancel();
    }
    return woke;
}
