/* SPDX-License-Identifier: MIT */
/* uaf_unsync.c - a session is freed when its client hangs up, while a worker still serves it.
 *
 * Mechanism: nothing tells the worker, and nobody waits for it: it goes on with memory that is
 * free.
 */
#include "races/case.h"

#define REQUESTS 1000000

struct session {
    char peer[40];
    long requests;
};

static void *serve(void *data) {
    struct session *session = data;
    for (int i = 0; i < REQUESTS; i++)
        session->requests++; /* RACE a */
    return NULL;
}

int main(void) {
    pthread_t worker;
    struct session *session = calloc(1, sizeof *session);
    if (!session)
        abort();
    pthread_create(&worker, NULL, serve, session);
#if BUG
    free(session); /* RACE b */
    pthread_join(worker, NULL);
#else
    pthread_join(worker, NULL);
    free(session);
#endif
    return 0;
}
