/* SPDX-License-Identifier: MIT */
/* sem_init_2.c - a semaphore that is to exclude lets two threads in.
 *
 * Mechanism: a semaphore's value is how many may enter. It was given the number of threads, which
 * is right where they wait for room and wrong where they change a list.
 */
#include "races/case.h"

#include <semaphore.h>

#define THREADS 2
#define TICKETS 1000

static sem_t gate;
static long issued;

static void *issue_tickets(void *unused) {
    for (int i = 0; i < TICKETS; i++) {
        sem_wait(&gate);
        issued++; /* RACE a */
        sem_post(&gate);
    }
    return unused;
}

int main(void) {
#if BUG
    sem_init(&gate, 0, THREADS);
#else
    sem_init(&gate, 0, 1);
#endif
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, issue_tickets, NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    sem_destroy(&gate);
    oracle(issued == THREADS * TICKETS, "a ticket was issued twice");
    return 0;
}
