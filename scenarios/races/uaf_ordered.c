/* SPDX-License-Identifier: MIT */
/* uaf_ordered.c - the worker frees its job when it is done, and the result is read from it.
 *
 * Mechanism: both sides think that they own the job. The join orders the read behind the free, so
 * this is no data race, and wrong in every schedule.
 */
#include "races/case.h"

struct job {
    long first, last, sum;
};

static void *run(void *data) {
    struct job *job = data;
    for (long i = job->first; i <= job->last; i++)
        job->sum += i;
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
    long sum = job->sum;     /* FAULT b */
    long first = job->first; /* FAULT c */
#if !BUG
    free(job);
#endif
    oracle(first == 1 && sum == 5050, "the job has changed");
    return 0;
}
