/* SPDX-License-Identifier: MIT */
/*
 * signal_cancel: a thread that fetches all signals by sigwait, and workers that wait for jobs
 * until they are cancelled. Their clean-up handlers give back what they hold.
 *
 * expect: none
 */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define WORKERS 2
#define JOBS 10
#define SIGNALS 4

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int jobsWaiting, jobsDone; /* under the lock, as the rest */
static int buffersFreed;
static int signalsSeen;
static sem_t signalSeen;

static void unlockMutex(void *mutex)
{
    pthread_mutex_unlock(mutex);
}

static void freeBuffer(void *buffer)
{
    free(buffer);
    pthread_mutex_lock(&lock);
    buffersFreed++;
    pthread_mutex_unlock(&lock);
}

static void *workerMain(void *unused)
{
    long *buffer = calloc(8, sizeof *buffer);

    if (buffer == NULL)
        abort();
    pthread_cleanup_push(freeBuffer, buffer);
    for (;;) {
        pthread_mutex_lock(&lock);
        pthread_cleanup_push(unlockMutex, &lock);
        while (jobsWaiting == 0)
            pthread_cond_wait(&changed, &lock);
        jobsWaiting--;
        jobsDone++;
        pthread_cond_broadcast(&changed);
        pthread_cleanup_pop(1);
        buffer[0]++;
    }
    pthread_cleanup_pop(1);
    return unused;
}

static void *signalMain(void *set)
{
    int number = 0;

    do {
        if (sigwait(set, &number) != 0)
            abort();
        pthread_mutex_lock(&lock);
        signalsSeen += number == SIGUSR1;
        jobsWaiting += number == SIGUSR1 ? JOBS / SIGNALS : 0;
        pthread_cond_broadcast(&changed);
        pthread_mutex_unlock(&lock);
        sem_post(&signalSeen);
    } while (number != SIGUSR2);
    return NULL;
}

/* Signals do not queue: one at a time. */
static void sendSignal(int number)
{
    kill(getpid(), number);
    while (sem_wait(&signalSeen) != 0)
        if (errno != EINTR)
            abort();
}

int main(void)
{
    pthread_t workers[WORKERS], signalThread;
    sigset_t set;
    void *result;
    int cancelled = 0;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &set, NULL); /* inherited by all */
    if (sem_init(&signalSeen, 0, 0) != 0 ||
        pthread_create(&signalThread, NULL, signalMain, &set) != 0)
        return 2;
    for (int i = 0; i < WORKERS; i++)
        if (pthread_create(&workers[i], NULL, workerMain, NULL) != 0)
            return 2;
    for (int i = 0; i < SIGNALS; i++)
        sendSignal(SIGUSR1);
    sendSignal(SIGUSR2);
    pthread_join(signalThread, NULL);

    pthread_mutex_lock(&lock);
    while (jobsDone < SIGNALS * (JOBS / SIGNALS))
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
    for (int i = 0; i < WORKERS; i++) {
        pthread_cancel(workers[i]);
        pthread_join(workers[i], &result);
        cancelled += result == PTHREAD_CANCELED;
    }
    sem_destroy(&signalSeen);
    printf("%d signals, %d jobs, %d cancelled, %d freed\n", signalsSeen, jobsDone, cancelled,
           buffersFreed);
    return cancelled == WORKERS && buffersFreed == WORKERS ? 0 : 1;
}
