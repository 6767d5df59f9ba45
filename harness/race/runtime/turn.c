/* SPDX-License-Identifier: MIT */
/* turn.c - the threads of the program and the turn that goes round among them. */
#include "race/runtime/runtime.h"

/* How long a sleeping thread goes without a look at signals that a sanitizer may hold back. */
#define LOOK_NS (50 * 1000000ull)

struct task tailrace_tasks[TASKS_MAX];
_Atomic uint32_t tailrace_task_end;
_Atomic(struct task *) tailrace_turn;
static _Atomic uint32_t lock_word;

TAILRACE_THREAD_LOCAL struct task *own;
TAILRACE_THREAD_LOCAL bool never; /* this thread is over, or there was no room for it */

uint64_t tailrace_lock(void) {
    uint64_t signals = raw_signals_block();
    /* Acquires what tailrace_unlock released. */
    while (atomic_exchange_explicit(&lock_word, 1, memory_order_acquire))
        raw_yield();
    return signals;
}

void tailrace_unlock(uint64_t signals) {
    atomic_store_explicit(&lock_word, 0, memory_order_release); /* with tailrace_lock */
    raw_signals_restore(signals);
}

struct task *tailrace_self(void) {
    return own;
}

struct task *tailrace_task_new(void) {
    uint64_t signals = tailrace_lock();
    uint32_t end = LOAD(tailrace_task_end), i = 0;
    while (i < end && LOAD(tailrace_tasks[i].state) != TASK_FREE)
        i++;
    struct task *task = i < TASKS_MAX ? &tailrace_tasks[i] : NULL;
    if (task) {
        STORE(task->go, 0);
        STORE(task->tid, 0);
        STORE(task->busy, false);
        STORE(task->signalled, false);
        STORE(task->cancelled, false);
        STORE(task->woken, false);
        STORE(task->handle, 0);
        task->detached = false;
        STORE(task->brief, false);
        task->rounds = 0;
        task->once_depth = 0;
        task->wait.timed = false;
        tailrace_policy_new(task);
        STORE(task->state, TASK_READY);
        if (i == end)
            STORE(tailrace_task_end, end + 1);
    }
    tailrace_unlock(signals);
    return task;
}

struct task *tailrace_task_find(pthread_t thread) {
    struct task *found = NULL;
    uint32_t end = LOAD(tailrace_task_end);
    for (uint32_t i = 0; i < end; i++) {
        struct task *task = &tailrace_tasks[i];
        if (LOAD(task->state) != TASK_FREE && LOAD(task->handle) == thread &&
            (!found || task->number > found->number))
            found = task;
    }
    return found;
}

void tailrace_task_drop(struct task *task) {
    STORE(task->state, TASK_FREE);
}

void tailrace_wake(struct task *task, uint32_t go_bit) {
    /* Releases what this thread did while it had the turn; acquired in await. */
    atomic_fetch_or_explicit(&task->go, go_bit, memory_order_release);
    raw_futex_wake(&task->go);
}

void tailrace_give(struct task *task) {
    struct task *before = LOAD(tailrace_turn);
    STORE(tailrace_turn, task);
    if (!task || task == before)
        return;
    tailrace_policy_switched(task);
    tailrace_wake(task, GO_TURN);
}

/* Until one of the bits comes. */
static uint32_t await(struct task *self) {
    STORE(self->busy, true);
    for (;;) {
        /* Acquires what the one who had the turn released. */
        uint32_t bits = atomic_exchange_explicit(&self->go, 0, memory_order_acquire);
        if (bits & GO_UNWIND)
            tailrace_unwind_self(self, self->wait.caller);
        /* A bit may be left from a turn that was taken without waiting. */
        if (bits & GO_REAL || (bits && LOAD(tailrace_turn) == self)) {
            STORE(self->busy, false);
            return bits;
        }
        long slept = raw_futex_wait(&self->go, 0, LOOK_NS);
        bool restart;
        if (slept == -EINTR || (slept == -ETIMEDOUT && tailrace_handlers(&restart)))
            STORE(self->signalled, LOAD(self->state) == TASK_BLOCKED);
    }
}

/* Gives the turn away and comes back with it. */
static void pass(struct task *self, const struct task *not_this) {
    uint64_t signals = tailrace_lock();
    bool mine = LOAD(tailrace_turn) == self; /* not if the watcher passed it on just now */
    struct task *next = self;
    if (mine) {
        next = tailrace_choose(not_this);
        tailrace_give(next);
    } else if (LOAD(self->state) == TASK_OUTSIDE) {
        STORE(self->state, TASK_READY);
    }
    tailrace_unlock(signals);
    if (!mine || next != self)
        await(self);
}

void tailrace_arrive(struct task *self) {
    uint64_t signals = tailrace_lock();
    if (LOAD(tailrace_turn) == self) {
        tailrace_unlock(signals);
        return;
    }
    if (LOAD(self->state) != TASK_FREE)
        STORE(self->state, TASK_READY);
    if (!LOAD(tailrace_turn))
        tailrace_give(tailrace_choose(NULL));
    tailrace_unlock(signals);
    await(self);
}

void tailrace_leave(struct task *self) {
    uint64_t signals = tailrace_lock();
    if (LOAD(tailrace_turn) == self) {
        STORE(self->state, TASK_OUTSIDE);
        tailrace_give(tailrace_choose(NULL));
    }
    tailrace_unlock(signals);
    STORE(tailrace_unserialised, true);
}

void tailrace_task_begin(struct task *self) {
    own = self;
    STORE(self->tid, raw_tid());
    if (LOAD(tailrace_turn) != self)
        await(self);
}

void tailrace_task_done(void) {
    struct task *self = own;
    never = true;
    if (!self)
        return;
    uint64_t signals = tailrace_lock();
    STORE(self->state, self->detached ? TASK_FREE : TASK_DONE);
    if (LOAD(tailrace_turn) == self) {
        own = NULL;
        tailrace_give(tailrace_choose(NULL));
    }
    own = NULL;
    tailrace_unlock(signals);
}

/* A thread that a library made comes into the program's code. */
static struct task *adopt(void) {
    struct task *self = never ? NULL : tailrace_task_new();
    never = !self;
    if (!self)
        return NULL;
    STORE(tailrace_unserialised, true);
    STORE(self->state, TASK_OUTSIDE);
    STORE(self->tid, raw_tid());
    STORE(self->handle, pthread_self());
    self->detached = true;
    own = self;
    tailrace_thread_key();
    tailrace_arrive(self);
    return self;
}

struct task *tailrace_enter(void) {
    uint32_t on = LOAD(tailrace_on);
    if (on <= SCHEDULE_DELAY) {
        if (on)
            tailrace_delay(true);
        return NULL;
    }
    struct task *self = own ? own : adopt();
    return self && !LOAD(self->busy) ? self : NULL;
}

void tailrace_point(struct task *self, const volatile void *object) {
    STORE(self->brief, false);
    if (LOAD(tailrace_turn) != self)
        tailrace_arrive(self);
    bool other = tailrace_policy_sync(self, object);
    if (other || !tailrace_policy_stays())
        pass(self, other ? self : NULL);
}

void tailrace_yield(struct task *self) {
    if (LOAD(tailrace_turn) != self)
        tailrace_arrive(self);
    tailrace_policy_sync(self, NULL);
    tailrace_policy_demote(self);
    pass(self, self);
}

enum woke tailrace_block(struct task *self) {
    uint64_t signals = tailrace_lock();
    STORE(self->signalled, false);
    STORE(self->state, TASK_BLOCKED);
    bool mine = LOAD(tailrace_turn) == self;
    struct task *next = NULL;
    if (mine) {
        next = tailrace_choose(NULL);
        tailrace_give(next);
    }
    tailrace_unlock(signals);
    if ((!mine || next != self) && await(self) & GO_REAL)
        return WOKE_REAL;
    return self->woke;
}

void tailrace_access(void) {
    if (LOAD(tailrace_on) == SCHEDULE_DELAY) {
        tailrace_delay(false);
        return;
    }
    struct task *self = own;
    if (!self || LOAD(self->busy))
        return;
    if (LOAD(tailrace_turn) != self)
        tailrace_arrive(self);
    if (UNLIKELY(tailrace_policy_access()))
        pass(self, NULL);
}

void tailrace_sync(const volatile void *object) {
    if (LOAD(tailrace_on) == SCHEDULE_DELAY) {
        tailrace_delay(true);
        return;
    }
    struct task *self = own;
    if (self && !LOAD(self->busy))
        tailrace_point(self, object);
}
