// SPDX-License-Identifier: MIT
// Computes for ever: a thread that makes no call and no system call, which main joins.
#include <pthread.h>

static volatile unsigned long steps;
static volatile int go_on = 1;

static void *compute(void *unused) {
    while (go_on)
        steps = steps * 6364136223846793005UL + 1;
    return unused;
}

int main(void) {
    pthread_t thread;

    if (pthread_create(&thread, NULL, compute, NULL) != 0)
        return 2;
    pthread_join(thread, NULL);
    return 0;
}
