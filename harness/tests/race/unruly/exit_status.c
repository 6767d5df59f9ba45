// SPDX-License-Identifier: MIT
// Exits with status 3, as it should: grep and diff have such statuses too.
#include <pthread.h>

static int status; // written before the join, read after it

static void *decide(void *unused) {
    status = 3;
    return unused;
}

int main(void) {
    pthread_t thread;

    if (pthread_create(&thread, NULL, decide, NULL) != 0)
        return 2;
    pthread_join(thread, NULL);
    return status;
}
