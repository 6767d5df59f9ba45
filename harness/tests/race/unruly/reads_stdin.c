// SPDX-License-Identifier: MIT
// Reads standard input to its end, in a thread.
#include <pthread.h>
#include <stdio.h>

static unsigned long bytes; // written before the join, read after it

static void *read_all(void *unused) {
    while (getchar() != EOF)
        bytes++;
    return unused;
}

int main(void) {
    pthread_t thread;

    if (pthread_create(&thread, NULL, read_all, NULL) != 0)
        return 2;
    pthread_join(thread, NULL);
    printf("%lu bytes\n", bytes);
    return 0;
}
