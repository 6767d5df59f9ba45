/* SPDX-License-Identifier: MIT */
/* batch_left_after_unlock.c - who finishes a batch's last job frees it, but asks after unlocking.
 *
 * Mechanism: between the unlock and the question another worker may finish the last job and free
 * the batch; or both find that none is left. As a rule the first worker has done all of the short
 * jobs by the time the second comes to the queue.
 */
#include "races/case.h"

#include <string.h>

#define JOBS 2

struct batch {
    int left;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct batch *queue[JOBS]; /* the batch of each job */
static int taken;
static char scratch[4 << 20];

static struct batch *job_take(void) {
    struct batch *batch = NULL;
    pthread_mutex_lock(&mutex);
    if (taken < JOBS)
        batch = queue[taken++];
    pthread_mutex_unlock(&mutex);
    return batch;
}

static void job_finish(struct batch *batch) {
    pthread_mutex_lock(&mutex);
    batch->left--; /* RACE a */
#if BUG
    pthread_mutex_unlock(&mutex);
    if (batch->left == 0) /* RACE b */
        free(batch);      /* RACE c */
#else
    const bool last = batch->left == 0;
    pthread_mutex_unlock(&mutex);
    if (last)
        free(batch);
#endif
}

static void *work(void *unused) {
    for (struct batch *batch = job_take(); batch != NULL; batch = job_take())
        job_finish(batch);
    return unused;
}

static void *work_with_scratch(void *unused) {
    memset(scratch, 0, sizeof scratch);
    return work(unused);
}

int main(void) {
    struct batch *batch = malloc(sizeof *batch);
    if (batch == NULL)
        return 1;
    batch->left = JOBS;
    for (int i = 0; i < JOBS; i++)
        queue[i] = batch;
    pthread_t first, second;
    pthread_create(&first, NULL, work, NULL);
    pthread_create(&second, NULL, work_with_scratch, NULL);
    pthread_join(first, NULL);
    pthread_join(second, NULL);
    return 0;
}
