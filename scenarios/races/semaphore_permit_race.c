/* SPDX-License-Identifier: MIT */
/* semaphore_permit_race.c - what a semaphore of one permit guarded stays so after it got two.
 *
 * Mechanism: with a second connection the semaphore no longer excludes. Where the two users come
 * one after the other, as they do as a rule, its post and wait still order them.
 */
#include "races/case.h"

#include <semaphore.h>
#include <string.h>

#define CONNECTIONS 2

static sem_t connections;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static long queries;
static char rows[4 << 20];

static void query(void) {
    while (sem_wait(&connections) != 0)
        continue;
#if BUG
    queries++; /* RACE a */
#else
    pthread_mutex_lock(&mutex);
    queries++;
    pthread_mutex_unlock(&mutex);
#endif
    sem_post(&connections);
}

static void *query_at_start(void *unused) {
    query();
    return unused;
}

static void *query_rows(void *unused) {
    memset(rows, 0, sizeof rows);
    query();
    return unused;
}

int main(void) {
    pthread_t first, second;
    sem_init(&connections, 0, CONNECTIONS);
    pthread_create(&first, NULL, query_at_start, NULL);
    pthread_create(&second, NULL, query_rows, NULL);
    pthread_join(first, NULL);
    pthread_join(second, NULL);
    pthread_mutex_destroy(&mutex);
    sem_destroy(&connections);
    oracle(queries == 2, "a query was not counted");
    return 0;
}
