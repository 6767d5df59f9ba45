/* SPDX-License-Identifier: MIT */
/* missing_join.c - partial sums are added up before their threads were joined.
 *
 * Mechanism: only pthread_join orders what a thread wrote before what its starter reads. Here the
 * joins are part of the tidying up at the end, as if starting a thread were to wait for it.
 */
#include "races/case.h"

#define WORKERS 4
#define NUMBERS 200

struct worker {
    pthread_t thread;
    long first;
    long sum;
};

/* Not main's own: clang 14 and 19 hide a function's uses of its own array from TSan. */
static struct worker workers[WORKERS];

static void *sum_up(void *argument) {
    struct worker *worker = argument;
    long sum = 0;
    for (long i = 0; i < NUMBERS; i++)
        sum += worker->first + i;
    worker->sum = sum; /* RACE a */
    return NULL;
}

static void join_all(void) {
    for (int i = 0; i < WORKERS; i++)
        pthread_join(workers[i].thread, NULL);
}

int main(void) {
    for (int i = 0; i < WORKERS; i++) {
        workers[i].first = (long)i * NUMBERS;
        pthread_create(&workers[i].thread, NULL, sum_up, &workers[i]);
    }
#if !BUG
    join_all();
#endif
    long total = 0;
    for (int i = 0; i < WORKERS; i++)
        total += workers[i].sum; /* RACE b */
#if BUG
    join_all();
#endif
    oracle(total == (long)WORKERS * NUMBERS * (WORKERS * NUMBERS - 1) / 2, "a sum is missing");
    return 0;
}
