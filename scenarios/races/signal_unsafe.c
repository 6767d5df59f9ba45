/* SPDX-License-Identifier: MIT */
/* signal_unsafe.c - a signal handler prints with stdio.
 *
 * Mechanism: the signal may come while the same thread is inside stdio or malloc, with their locks
 * held and their lists half linked. Only what signal-safety(7) lists may be called.
 */
#include "races/case.h"

#include <signal.h>
#include <unistd.h>

static volatile sig_atomic_t hangups;

static void on_hangup(int signal_number) {
#if BUG
    fprintf(stderr, "signal %d: reading the configuration again\n", signal_number); /* FAULT a */
#else
    (void)signal_number;
    static const char message[] = "hangup: reading the configuration again\n";
    if (write(STDERR_FILENO, message, sizeof message - 1) < 0)
        hangups = 0;
#endif
    hangups++;
}

int main(void) {
    signal(SIGHUP, on_hangup);
    raise(SIGHUP);
    oracle(hangups == 1, "the signal was not handled");
    return 0;
}
