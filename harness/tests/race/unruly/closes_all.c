// SPDX-License-Identifier: MIT
// Closes every descriptor, also the standard ones, and then has a data race.
#include <pthread.h>
#include <unistd.h>

enum { DESCRIPTORS_MAX = 1024 };

static volatile int counter;

static void *bump(void *unused) {
    for (int i = 0; i < 100; i++)
        counter = counter + 1;
    return unused;
}

int main(void) {
    pthread_t thread;

    for (int descriptor = 0; descriptor < DESCRIPTORS_MAX; descriptor++)
        close(descriptor);
    if (pthread_create(&thread, NULL, bump, NULL) != 0)
        return 2;
    bump(NULL);
    pthread_join(thread, NULL);
    return 0;
}
