/* SPDX-License-Identifier: MIT */
/* shutdown_stats_race.c - at shutdown the statistics are printed before the worker is joined.
 *
 * Mechanism: main joins the listener only. As a rule the worker has long passed the lock that main
 * then takes, which orders its count before main's look; where main is first, nothing does.
 */
#include "races/case.h"

#include <string.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int answers; /* under mutex */
static long bytes;  /* the worker's own */
static char backlog[4 << 20];

static void *work(void *unused) {
    bytes += 512; /* RACE a */
    pthread_mutex_lock(&mutex);
    answers++;
    pthread_mutex_unlock(&mutex);
    return unused;
}

static void *listen_for_clients(void *unused) {
    memset(backlog, 0, sizeof backlog);
    return unused;
}

int main(void) {
    pthread_t worker, listener;
    pthread_create(&worker, NULL, work, NULL);
    pthread_create(&listener, NULL, listen_for_clients, NULL);
    pthread_join(listener, NULL);
    pthread_mutex_lock(&mutex);
    const int answered = answers;
    pthread_mutex_unlock(&mutex);
#if !BUG
    pthread_join(worker, NULL);
#endif
    printf("%d answers, %ld bytes\n", answered, bytes); /* RACE b */
#if BUG
    pthread_join(worker, NULL);
#endif
    return 0;
}
