// SPDX-License-Identifier: MIT
// Writes through a null pointer, in a thread.
#include <pthread.h>

static int *volatile nowhere;

static void *crash(void *unused) {
    *nowhere = 1;
    return unused;
}

int main(void) {
    pthread_t thread;

    if (pthread_create(&thread, NULL, crash, NULL) != 0)
        return 2;
    pthread_join(thread, NULL);
    return 0;
}
