/* SPDX-License-Identifier: MIT */
/* double_free_ordered.c - the worker frees its job when it is done, and so does who waited for it.
 *
 * Mechanism: both sides think that they own the job. The join orders one free behind the other.
 */
#include "races/case.h"

#define NUMBERS 500

struct job {
    long numbers[NUMBERS];
};
static long sum;

static void *run(void *data) {
    struct job *job = data;
    for (int i = 0; i < NUMBERS; i++)
        sum += job->numbers[i];
#if BUG
    free(job); /* FAULT a */
#endif
    return NULL;
}

int main(void) {
    pthread_t worker;
    struct job *job = malloc(sizeof *job);
    if (!job)
        abort();
    for (int i = 0; i < NUMBERS; i++)
        job->numbers[i] = i;
    pthread_create(&worker, NULL, run, job);
    pthread_join(worker, NULL);
    free(job); /* FAULT b */
    oracle(sum == NUMBERS * (NUMBERS - 1) / 2, "the sum is wrong");
    return 0;
}
