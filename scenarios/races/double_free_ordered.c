/* SPDX-License-Identifier: MIT */
/* double_free_ordered.c - the worker frees its job when it is done, and so does who waited for it.
 *
 * Mechanism: both sides think that they own the job. The join orders one free behind the other.
 */
#include "races/case.h"

struct job {
    long first, last;
};
static long sum;

static void *run(void *data) {
    struct job *job = data;
    for (long i = job->first; i <= job->last; i++)
        sum += i;
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
    *job = (struct job){.first = 1, .last = 100};
    pthread_create(&worker, NULL, run, job);
    pthread_join(worker, NULL);
    free(job); /* FAULT b */
    oracle(sum == 5050, "the sum is wrong");
    return 0;
}
