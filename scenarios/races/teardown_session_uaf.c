/* SPDX-License-Identifier: MIT */
/* teardown_session_uaf.c - a session is freed once it is marked as closing.
 *
 * Mechanism: the mark keeps out who comes later, and as a rule who came earlier is done; a worker
 * between its look at the mark and its use of the session is neither.
 */
#include "races/case.h"

#include <string.h>

struct session {
    int requests;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t left = PTHREAD_COND_INITIALIZER;
static bool closing;
static int users;
static struct session *session;
static char backlog[4 << 20];

static void *work(void *unused) {
    pthread_mutex_lock(&mutex);
    const bool usable = !closing;
    if (usable)
        users++;
    pthread_mutex_unlock(&mutex);
    if (!usable)
        return unused;
    session->requests++; /* FAULT a */
    pthread_mutex_lock(&mutex);
    users--;
    pthread_cond_signal(&left);
    pthread_mutex_unlock(&mutex);
    return unused;
}

static void *listen_for_clients(void *unused) {
    memset(backlog, 0, sizeof backlog);
    return unused;
}

int main(void) {
    session = calloc(1, sizeof *session);
    if (session == NULL)
        return 1;
    pthread_t worker, listener;
    pthread_create(&worker, NULL, work, NULL);
    pthread_create(&listener, NULL, listen_for_clients, NULL);
    pthread_join(listener, NULL);
    pthread_mutex_lock(&mutex);
    closing = true;
#if !BUG
    while (users > 0)
        pthread_cond_wait(&left, &mutex);
#endif
    pthread_mutex_unlock(&mutex);
    free(session); /* FAULT b */
    pthread_join(worker, NULL);
    return 0;
}
