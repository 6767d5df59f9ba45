/* SPDX-License-Identifier: MIT */
/* double_free_unsync.c - two workers that find the disk full both close the log, which frees its
 * buffer.
 *
 * Mechanism: nothing says that it was closed already, and nothing keeps the two apart.
 */
#include "races/case.h"

#define WORKERS 2
#define LOG_BYTES 4096

static char *log_buffer;
#if !BUG
static pthread_once_t log_closed = PTHREAD_ONCE_INIT;
#endif

static void log_close(void) {
    free(log_buffer); /* FAULT a */
}

static void *write_file(void *unused) {
#if BUG
    log_close();
#else
    pthread_once(&log_closed, log_close);
#endif
    return unused;
}

int main(void) {
    pthread_t workers[WORKERS];
    log_buffer = malloc(LOG_BYTES);
    if (!log_buffer)
        abort();
    for (int i = 0; i < WORKERS; i++)
        pthread_create(&workers[i], NULL, write_file, NULL);
    for (int i = 0; i < WORKERS; i++)
        pthread_join(workers[i], NULL);
    return 0;
}
