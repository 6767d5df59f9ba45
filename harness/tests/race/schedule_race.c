/* SPDX-License-Identifier: MIT */
/* schedule_race.c - races, one for each argument: plain, rare, and of memory that is gone. */
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int x, started;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static volatile int sink;

static void *write_x(void *arg) {
    x++; /* RACE thread */
    return arg;
}

static void plain(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, write_x, NULL);
    x++; /* RACE main */
    pthread_join(thread, NULL);
}

static inline __attribute__((always_inline)) void store_inlined(int *at) {
    *at = 7; /* RACE inlined */
}

static void *write_inlined(void *arg) {
    store_inlined(arg);
    return NULL;
}

static void heap(void) {
    pthread_t thread;
    int *block = malloc(40); /* ALLOCATED */
    pthread_create(&thread, NULL, write_inlined, block);
    sink = *block; /* RACE read */
    pthread_join(thread, NULL);
    free(block);
}

/* A race only where main comes before the thread has had the lock, which hands x over. Main has so
 * much to do first that it hardly ever does.
 */
static void *publish(void *arg) {
    x = 1; /* RACE early */
    pthread_mutex_lock(&lock);
    started = 1;
    pthread_mutex_unlock(&lock);
    return arg;
}

static void rare(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, publish, NULL);
    for (int i = 0; i < 100000000; i++)
        __asm__ volatile("" : "+r"(i));
    pthread_mutex_lock(&lock);
    sink = started;
    pthread_mutex_unlock(&lock);
    x = 2; /* RACE late */
    pthread_join(thread, NULL);
}

static void *use(void *arg) {
    pthread_mutex_lock(&lock);
    int *block = *(int **)arg;
    pthread_mutex_unlock(&lock);
    if (block)
        sink = *block; /* RACE use */
    return NULL;
}

static void gone(void) {
    pthread_t thread;
    static int *shared;
    int *block = shared = malloc(sizeof(int));
    *block = 1;
    pthread_create(&thread, NULL, use, &shared);
    pthread_mutex_lock(&lock);
    shared = NULL;
    pthread_mutex_unlock(&lock);
    free(block); /* RACE free */
    pthread_join(thread, NULL);
}

static const struct {
    const char *name;
    void (*run)(void);
} programs[] = {{"plain", plain}, {"heap", heap}, {"rare", rare}, {"gone", gone}};

int main(int count, char **arguments) {
    for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
        if (count == 2 && strcmp(arguments[1], programs[i].name) == 0)
            return programs[i].run(), 0;
    return 1;
}
