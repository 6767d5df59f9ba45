/* SPDX-License-Identifier: MIT */
/* sem_init_2.c - a semaphore that is to exclude lets two threads in.
 *
 * Mechanism: a semaphore's value is how many may enter. It was given the number of clerks, which is
 * right where they wait for room and wrong where they change a list: two may find one seat free.
 */
#include "races/case.h"

#include <semaphore.h>

#define CLERKS 2
#define SEATS 2000

static sem_t gate;
static bool is_sold[SEATS];

/* False where there is none left. */
static bool sell_seat(void) {
    bool is_found = false;
    sem_wait(&gate);
    for (int seat = 0; seat < SEATS && !is_found; seat++) {
        if (is_sold[seat]) /* RACE a */
            continue;
        is_sold[seat] = true; /* RACE b */
        is_found = true;
    }
    sem_post(&gate);
    return is_found;
}

static void *sell_all(void *argument) {
    int *sold = argument;
    while (sell_seat())
        (*sold)++;
    return NULL;
}

int main(void) {
#if BUG
    sem_init(&gate, 0, CLERKS);
#else
    sem_init(&gate, 0, 1);
#endif
    pthread_t threads[CLERKS];
    static int sold[CLERKS];
    for (int i = 0; i < CLERKS; i++)
        pthread_create(&threads[i], NULL, sell_all, &sold[i]);
    for (int i = 0; i < CLERKS; i++)
        pthread_join(threads[i], NULL);
    sem_destroy(&gate);
    oracle(sold[0] + sold[1] == SEATS, "a seat was sold twice");
    return 0;
}
