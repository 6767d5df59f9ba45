/* SPDX-License-Identifier: MIT */
/* wrap_thread.c - threads: their beginning, their end, and ends of the process. */
#include "race/runtime/wrap.h"

#include <unistd.h>

static pthread_key_t key;
static _Atomic bool has_key;

/* After the thread's own destructors, as far as it is in our hands. */
static void ended(void *task) {
    struct task *self = task;
    if (LOAD(tailrace_on) > SCHEDULE_DELAY && self->rounds++ < DESTRUCTOR_ROUNDS)
        pthread_setspecific(key, self);
    else
        tailrace_task_done();
}

void tailrace_thread_key(void) {
    if (!LOAD(has_key) && pthread_key_create(&key, ended) == 0)
        STORE(has_key, true);
    if (LOAD(has_key) && tailrace_self())
        pthread_setspecific(key, tailrace_self());
}

static void *tailrace_thread(void *argument) {
    struct task *self = argument;
    STORE(self->handle, pthread_self());
    tailrace_task_begin(self);
    tailrace_thread_key();
    return self->start(self->argument);
}

WRAP(int, pthread_create, pthread_t *thread, const pthread_attr_t *attributes,
     void *(*start)(void *), void *argument) {
    struct task *self = UNLIKELY(LOAD(tailrace_on)) ? tailrace_enter() : NULL;
    struct task *task = self ? tailrace_task_new() : NULL;
    if (!task)
        JUMP __real_pthread_create(thread, attributes, start, argument);
    frame_enter(CALLER);
    int detached = PTHREAD_CREATE_JOINABLE;
    if (attributes)
        pthread_attr_getdetachstate(attributes, &detached);
    task->detached = detached == PTHREAD_CREATE_DETACHED;
    task->start = start;
    task->argument = argument;
    STORE(self->brief, true);
    int error = __real_pthread_create(thread, attributes, tailrace_thread, task);
    if (error)
        tailrace_task_drop(task);
    else if (!task->detached)
        STORE(task->handle, *thread);
    tailrace_point(self, NULL);
    frame_leave();
    return error;
}

WRAP(int, pthread_join, pthread_t thread, void **result) {
    struct task *self = UNLIKELY(LOAD(tailrace_on)) ? tailrace_enter() : NULL;
    struct task *target = self ? tailrace_task_find(thread) : NULL;
    if (!self || target == self)
        JUMP __real_pthread_join(thread, result);
    if (!target) {
        frame_enter(CALLER);
        tailrace_leave(self);
        int error = __real_pthread_join(thread, result);
        tailrace_arrive(self);
        frame_leave();
        return error;
    }
    struct wait wait = {.kind = WAIT_JOIN, .object = target, .cancellable = true, .caller = CALLER};
    tailrace_wait_for(self, wait);
    while (tailrace_wait(self) == WOKE_CANCEL) {
        STORE(self->cancelled, false);
        pthread_testcancel();
    }
    tailrace_task_drop(target);
    STORE(self->brief, true);
    JUMP __real_pthread_join(thread, result);
}

WRAP(int, pthread_detach, pthread_t thread) {
    struct task *self = UNLIKELY(LOAD(tailrace_on)) ? tailrace_enter() : NULL;
    if (self)
        tailrace_point(self, NULL);
    struct task *target = self ? tailrace_task_find(thread) : NULL;
    if (target && LOAD(target->state) == TASK_DONE)
        tailrace_task_drop(target);
    else if (target)
        target->detached = true;
    JUMP __real_pthread_detach(thread);
}

__attribute__((weak, noreturn)) void __real_pthread_exit(void *result);
_Noreturn void __wrap_pthread_exit(void *result);
_Noreturn void __wrap_pthread_exit(void *result) {
    struct task *self = UNLIKELY(LOAD(tailrace_on)) ? tailrace_enter() : NULL;
    if (self)
        tailrace_point(self, NULL);
    __real_pthread_exit(result);
}

WRAP(int, pthread_cancel, pthread_t thread) {
    struct task *self = UNLIKELY(LOAD(tailrace_on)) ? tailrace_enter() : NULL;
    if (self)
        tailrace_point(self, NULL);
    struct task *target = LOAD(tailrace_on) ? tailrace_task_find(thread) : NULL;
    if (target)
        STORE(target->cancelled, true);
    JUMP __real_pthread_cancel(thread);
}

__attribute__((weak, noreturn)) void __real__exit(int status);
__attribute__((weak, noreturn)) void __real__Exit(int status);
_Noreturn void __wrap__exit(int status);
_Noreturn void __wrap__Exit(int status);

_Noreturn void __wrap__exit(int status) {
    tailrace_finish();
    tailrace_write_end();
    __real__exit(status);
}

_Noreturn void __wrap__Exit(int status) {
    tailrace_finish();
    tailrace_write_end();
    __real__Exit(status);
}
