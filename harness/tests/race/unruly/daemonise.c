// SPDX-License-Identifier: MIT
// Becomes a daemon by the book: forks twice, in a session of its own, and sleeps.
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static void fork_and_leave_parent(void) {
    pid_t child = fork();

    if (child != 0)
        _exit(child > 0 ? 0 : 2);
}

int main(void) {
    int nothing;

    fork_and_leave_parent();
    if (setsid() < 0)
        return 2;
    fork_and_leave_parent();
    nothing = open("/dev/null", O_RDWR);
    for (int descriptor = 0; descriptor < 3; descriptor++)
        dup2(nothing, descriptor);
    if (chdir("/") != 0)
        return 2;
    sleep(1000);
    return 0;
}
