/* SPDX-License-Identifier: MIT */
/* once_then_configure.c - the log is opened once, and its level set after that, outside of the
 * once.
 *
 * Mechanism: pthread_once orders what its routine does, not what its first caller does next. As a
 * rule the first caller has written a line, under the lock, before the second does.
 */
#include "races/case.h"

#include <string.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t mutex;
static int lines;
static int level;
static char report[4 << 20];

static void log_open(void) {
    pthread_mutex_init(&mutex, NULL);
#if !BUG
    level = 2;
#endif
}

static void log_line(void) {
    pthread_mutex_lock(&mutex);
    lines++;
    pthread_mutex_unlock(&mutex);
}

static void *start(void *unused) {
    pthread_once(&once, log_open);
#if BUG
    level = 2; /* RACE a */
#endif
    log_line();
    return unused;
}

static void *check(void *unused) {
    memset(report, ' ', sizeof report);
    pthread_once(&once, log_open);
    log_line();
    if (level > 1) /* RACE b */
        log_line();
    return unused;
}

int main(void) {
    pthread_t starter, checker;
    pthread_create(&starter, NULL, start, NULL);
    pthread_create(&checker, NULL, check, NULL);
    pthread_join(starter, NULL);
    pthread_join(checker, NULL);
    pthread_mutex_destroy(&mutex);
    oracle(lines == 3, "a line was not logged");
    return 0;
}
