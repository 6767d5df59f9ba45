/* SPDX-License-Identifier: MIT */
/* schedule_stuck.c - programs, one for each argument, that can or must come to a standstill. */
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t barrier;
static sem_t sem;
static int ready;

static void *lock_ba(void *arg) {
    pthread_mutex_lock(&b);
    pthread_mutex_lock(&a); /* LOCK ba */
    pthread_mutex_unlock(&a);
    pthread_mutex_unlock(&b);
    return arg;
}

static void abba(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, lock_ba, NULL);
    pthread_mutex_lock(&a);
    pthread_mutex_lock(&b); /* LOCK ab */
    pthread_mutex_unlock(&b);
    pthread_mutex_unlock(&a);
    pthread_join(thread, NULL);
}

static void relock(void) {
    pthread_mutex_lock(&a);
    pthread_mutex_lock(&a); /* LOCK relock */
}

/* A signal that may come before the wait, which looks only once and outside the lock. */
static void *set_ready(void *arg) {
    __atomic_store_n(&ready, 1, __ATOMIC_RELEASE);
    pthread_cond_signal(&changed);
    return arg;
}

static void missed(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, set_ready, NULL);
    pthread_mutex_lock(&a);
    while (!__atomic_load_n(&ready, __ATOMIC_ACQUIRE))
        pthread_cond_wait(&changed, &a); /* LOCK missed */
    pthread_mutex_unlock(&a);
    pthread_join(thread, NULL);
}

static void *take(void *arg) {
    sem_wait(&sem); /* LOCK sem */
    return arg;
}

static void semaphore(void) {
    pthread_t thread;
    sem_init(&sem, 0, 0);
    pthread_create(&thread, NULL, take, NULL);
    pthread_join(thread, NULL); /* LOCK join */
}

static void one_short(void) {
    pthread_barrier_init(&barrier, NULL, 2);
    pthread_barrier_wait(&barrier); /* LOCK barrier */
}

static void upgrade(void) {
    pthread_rwlock_rdlock(&rwlock);
    pthread_rwlock_wrlock(&rwlock); /* LOCK upgrade */
}

static const struct {
    const char *name;
    void (*run)(void);
} programs[] = {{"abba", abba},     {"relock", relock},     {"missed", missed},
                {"sem", semaphore}, {"barrier", one_short}, {"upgrade", upgrade}};

int main(int count, char **arguments) {
    for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
        if (count == 2 && strcmp(arguments[1], programs[i].name) == 0)
            return programs[i].run(), 0;
    return 1;
}
