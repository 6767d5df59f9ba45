// SPDX-License-Identifier: MIT
// Leaves a child behind that sleeps and holds its parent's standard output and error.
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static void *nothing(void *unused) {
    return unused;
}

int main(void) {
    pthread_t thread;
    pid_t child;

    if (pthread_create(&thread, NULL, nothing, NULL) != 0)
        return 2;
    child = fork();
    if (child == 0) {
        sleep(1000);
        _exit(0);
    }
    pthread_join(thread, NULL);
    puts(child > 0 ? "left a child" : "no child");
    return child > 0 ? 0 : 2;
}
