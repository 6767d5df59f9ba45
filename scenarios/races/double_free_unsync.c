/* SPDX-License-Identifier: MIT */
/* double_free_unsync.c - two workers send the same message, and each frees it when it has.
 *
 * Mechanism: each thinks that the message was given to it; in which order they free, and whether at
 * once, is chance.
 */
#include "races/case.h"

#include <stdatomic.h>
#include <string.h>

#define WORKERS 2

static _Atomic size_t sent_bytes; /* relaxed throughout: a statistic */

static void *send_message(void *data) {
    const char *message = data;
    atomic_fetch_add_explicit(&sent_bytes, strlen(message), memory_order_relaxed); /* FAULT b */
#if BUG
    free(data); /* FAULT a */
#endif
    return NULL;
}

int main(void) {
    pthread_t workers[WORKERS];
    char *message = strdup("to be sent to both");
    if (!message)
        abort();
    for (int i = 0; i < WORKERS; i++)
        pthread_create(&workers[i], NULL, send_message, message);
    for (int i = 0; i < WORKERS; i++)
        pthread_join(workers[i], NULL);
#if !BUG
    free(message);
#endif
    return 0;
}
