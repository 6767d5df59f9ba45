// SPDX-License-Identifier: MIT
// Fails an assertion, in a thread.
#include <assert.h>
#include <pthread.h>

static volatile int sum = 4;

static void *check(void *unused) {
    assert(sum == 5);
    return unused;
}

int main(void) {
    pthread_t thread;

    if (pthread_create(&thread, NULL, check, NULL) != 0)
        return 2;
    pthread_join(thread, NULL);
    return 0;
}
