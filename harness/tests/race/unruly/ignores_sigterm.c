// SPDX-License-Identifier: MIT
// Ignores every signal that asks it to end, and waits for ever.
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

static void *wait_for_ever(void *unused) {
    for (;;)
        pause();
    return unused;
}

int main(void) {
    static const int polite[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGALRM, SIGXCPU};
    pthread_t thread;

    for (unsigned i = 0; i < sizeof polite / sizeof *polite; i++)
        signal(polite[i], SIG_IGN);
    if (pthread_create(&thread, NULL, wait_for_ever, NULL) != 0)
        return 2;
    pthread_join(thread, NULL);
    return 0;
}
