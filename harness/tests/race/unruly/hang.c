// SPDX-License-Identifier: MIT
// Waits for ever for a signal that nobody sends, in a thread that main joins.
#include <pthread.h>
#include <unistd.h>

static void *wait_for_ever(void *unused) {
    for (;;)
        pause();
    return unused;
}

int main(void) {
    pthread_t thread;

    if (pthread_create(&thread, NULL, wait_for_ever, NULL) != 0)
        return 2;
    pthread_join(thread, NULL);
    return 0;
}
