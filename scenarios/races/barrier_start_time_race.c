/* SPDX-License-Identifier: MIT */
/* barrier_start_time_race.c - the clock is read when the barrier has opened, by one thread for all.
 *
 * Mechanism: the barrier orders what comes before it, not what a party does next. As a rule the
 * timer has had the lock long before main takes it for the results, when the run is joined; that
 * order hides the race.
 */
#include "races/case.h"

#include <string.h>
#include <time.h>

static pthread_barrier_t start_line;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int results;
static long long start_ns;
static char table[8 << 20];

static long long now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void *time_run(void *unused) {
#if !BUG
    start_ns = now_ns();
#endif
    pthread_barrier_wait(&start_line);
#if BUG
    start_ns = now_ns(); /* RACE a */
#endif
    pthread_mutex_lock(&mutex);
    results = 0;
    pthread_mutex_unlock(&mutex);
    return unused;
}

static void *run(void *unused) {
    pthread_barrier_wait(&start_line);
    memset(table, 0, sizeof table);
    pthread_mutex_lock(&mutex);
    results++;
    pthread_mutex_unlock(&mutex);
    return unused;
}

int main(void) {
    pthread_t timer, runner;
    pthread_barrier_init(&start_line, NULL, 2);
    pthread_create(&timer, NULL, time_run, NULL);
    pthread_create(&runner, NULL, run, NULL);
    pthread_join(runner, NULL);
    pthread_mutex_lock(&mutex);
    const int runs = results;
    pthread_mutex_unlock(&mutex);
    const long long taken_ns = now_ns() - start_ns; /* RACE b */
    pthread_join(timer, NULL);
    oracle(taken_ns < 60000000000LL, "the run took longer than the program");
    printf("%d runs took %lld ns\n", runs, taken_ns);
    pthread_barrier_destroy(&start_line);
    return 0;
}
