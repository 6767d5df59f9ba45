/* SPDX-License-Identifier: MIT */
/*
 * work_steal: every worker has a deque after Chase and Lev, and steals when its own is empty.
 * The work is a binary tree, of which a task is a node that makes two more. Deques never wrap
 * round, and indices, slots and the fight for the last task are sequentially consistent.
 *
 * expect: none
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { kWorkers = 3, kNodes = 127, kNothing = 0 };

typedef struct {
    atomic_int top;
    atomic_int bottom;
    atomic_int tasks[kNodes + 1];
} Deque;

typedef struct {
    pthread_t thread;
    Deque deque;
    int number;
    long sum;
} Worker;

static Worker *workers;
static atomic_int tasksLeft;
static atomic_int timesRun[kNodes + 1];

static void dequePush(Deque *d, int task)
{
    int b = atomic_load(&d->bottom);
    atomic_store(&d->tasks[b], task);
    atomic_store(&d->bottom, b + 1);
}

static int dequeSteal(Deque *d)
{
    int t = atomic_load(&d->top);
    int b = atomic_load(&d->bottom);
    if (t >= b)
        return kNothing;
    int task = atomic_load(&d->tasks[t]);
    return atomic_compare_exchange_strong(&d->top, &t, t + 1) ? task : kNothing;
}

/* By the owner only. */
static int dequePop(Deque *d)
{
    int b = atomic_load(&d->bottom) - 1;
    atomic_store(&d->bottom, b);
    int t = atomic_load(&d->top);
    if (t > b) {
        atomic_store(&d->bottom, b + 1);
        return kNothing;
    }
    int task = atomic_load(&d->tasks[b]);
    if (t == b) { /* the last one: a thief may have it */
        if (!atomic_compare_exchange_strong(&d->top, &t, t + 1))
            task = kNothing;
        atomic_store(&d->bottom, b + 1);
    }
    return task;
}

static int findTask(Worker *self)
{
    int task = dequePop(&self->deque);
    for (int i = 1; i < kWorkers && task == kNothing; i++)
        task = dequeSteal(&workers[(self->number + i) % kWorkers].deque);
    return task;
}

static void *workerMain(void *arg)
{
    Worker *self = arg;
    while (atomic_load(&tasksLeft) > 0) {
        int task = findTask(self);
        if (task == kNothing) {
            sched_yield();
            continue;
        }
        if (2 * task + 1 <= kNodes) {
            dequePush(&self->deque, 2 * task);
            dequePush(&self->deque, 2 * task + 1);
        }
        self->sum += (long)task * task;
        atomic_fetch_add(&timesRun[task], 1);
        atomic_fetch_sub(&tasksLeft, 1);
    }
    return NULL;
}

int main(void)
{
    long sum = 0;
    int wrong = 0;

    workers = calloc(kWorkers, sizeof *workers);
    if (workers == NULL)
        return 2;
    atomic_init(&tasksLeft, kNodes);
    dequePush(&workers[0].deque, 1);
    for (int i = 0; i < kWorkers; i++) {
        workers[i].number = i;
        if (pthread_create(&workers[i].thread, NULL, workerMain, &workers[i]) != 0)
            return 2;
    }
    for (int i = 0; i < kWorkers; i++) {
        pthread_join(workers[i].thread, NULL);
        sum += workers[i].sum;
    }
    for (int i = 1; i <= kNodes; i++)
        wrong += atomic_load(&timesRun[i]) != 1;
    free(workers);
    printf("sum of squares %ld, %d not run once\n", sum, wrong);
    return wrong != 0;
}
