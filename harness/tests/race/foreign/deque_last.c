/* SPDX-License-Identifier: MIT */
/*
 * deque_last: a work-stealing deque after Chase and Lev. The owner pops at the bottom, thieves
 * steal at the top; the order of everything is sequentially consistent.
 *
 * expect: abort 38,39,44,51,55,63,75,94
 */
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

enum { kTasks = 12, kThieves = 2, kNothing = -1 };

typedef struct {
    atomic_int top;
    atomic_int bottom;
    atomic_int tasks[kTasks];
} Deque;

static Deque deque;
static atomic_int timesRun[kTasks];
static atomic_int tasksLeft;

static void dequePush(Deque *d, int task)
{
    int b = atomic_load(&d->bottom);
    atomic_store(&d->tasks[b], task);
    atomic_store(&d->bottom, b + 1);
}

/* By the owner only. */
static int dequePop(Deque *d)
{
    int b = atomic_load(&d->bottom) - 1;
    if (b < 0)
        return kNothing;
    atomic_store(&d->bottom, b);
    int t = atomic_load(&d->top);
    if (b < t) {
        atomic_store(&d->bottom, t);
        return kNothing;
    }
    return atomic_load(&d->tasks[b]);
}

/* By anybody else. */
static int dequeSteal(Deque *d)
{
    int t = atomic_load(&d->top);
    int b = atomic_load(&d->bottom);
    if (t >= b)
        return kNothing;
    int task = atomic_load(&d->tasks[t]);
    if (!atomic_compare_exchange_strong(&d->top, &t, t + 1))
        return kNothing;
    return task;
}

static void runTask(int task)
{
    int before = atomic_fetch_add(&timesRun[task], 1);
    assert(before == 0);
    (void)before;
    atomic_fetch_sub(&tasksLeft, 1);
}

static void *thiefMain(void *arg)
{
    long *stolen = arg;
    for (int attempt = 0; attempt < 3 * kTasks && atomic_load(&tasksLeft) > 0; attempt++) {
        int task = dequeSteal(&deque);
        if (task == kNothing)
            continue;
        runTask(task);
        ++*stolen;
    }
    return NULL;
}

int main(void)
{
    pthread_t thieves[kThieves];
    long stolen[kThieves] = {0};
    int task, total = 0;

    atomic_init(&tasksLeft, kTasks);
    for (int i = 0; i < kTasks; i++)
        dequePush(&deque, i);
    for (int i = 0; i < kThieves; i++)
        if (pthread_create(&thieves[i], NULL, thiefMain, &stolen[i]) != 0)
            return 2;
    while ((task = dequePop(&deque)) != kNothing)
        runTask(task);
    for (int i = 0; i < kThieves; i++)
        pthread_join(thieves[i], NULL);
    for (int i = 0; i < kTasks; i++)
        total += atomic_load(&timesRun[i]);
    printf("%d runs of %d tasks, %d left\n", total, kTasks, atomic_load(&tasksLeft));
    return 0;
}
