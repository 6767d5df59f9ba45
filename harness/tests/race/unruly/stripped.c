// SPDX-License-Identifier: MIT
// Has a data race, and no symbols to tell where: the Makefile strips it.
#include <pthread.h>
#include <stdio.h>

static int counter;

static void *bump(void *unused) {
    for (int i = 0; i < 100; i++)
        counter++;
    return unused;
}

int main(void) {
    pthread_t threads[2];

    for (int i = 0; i < 2; i++)
        if (pthread_create(&threads[i], NULL, bump, NULL) != 0)
            return 2;
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    printf("%d\n", counter);
    return 0;
}
