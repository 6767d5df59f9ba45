/* SPDX-License-Identifier: MIT */
/* start_handshake_race.c - a worker says that it has started before it is set up.
 *
 * Mechanism: what the worker writes after its signal is ordered before the submitter's look only if
 * the worker has gone to sleep for its first job by then (the wait gives the mutex back), as it
 * has as a rule: the submitter reads its job first.
 */
#include "races/case.h"

#include <string.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool started, submitted;
static int capacity;
static char job[4 << 20];

static void *work(void *unused) {
#if !BUG
    capacity = 16;
#endif
    pthread_mutex_lock(&mutex);
    started = true;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
#if BUG
    capacity = 16; /* RACE a */
#endif
    pthread_mutex_lock(&mutex);
    while (!submitted)
        pthread_cond_wait(&changed, &mutex);
    pthread_mutex_unlock(&mutex);
    return unused;
}

static void *submit(void *unused) {
    memset(job, 1, sizeof job);
    pthread_mutex_lock(&mutex);
    while (!started)
        pthread_cond_wait(&changed, &mutex);
    pthread_mutex_unlock(&mutex);
    const int room = capacity; /* RACE b */
    pthread_mutex_lock(&mutex);
    submitted = true;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
    oracle(room == 16, "the worker has no room");
    return unused;
}

int main(void) {
    pthread_t worker, submitter;
    pthread_create(&worker, NULL, work, NULL);
    pthread_create(&submitter, NULL, submit, NULL);
    pthread_join(worker, NULL);
    pthread_join(submitter, NULL);
    return 0;
}
