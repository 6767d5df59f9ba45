/* SPDX-License-Identifier: MIT */
/* destroy_locked.c - a session is closed with its own lock held, and its lock destroyed.
 *
 * Mechanism: pthread_mutex_destroy of a locked mutex is undefined; glibc answers EBUSY, which
 * nobody reads.
 */
#include "races/case.h"

struct session {
    pthread_mutex_t mutex;
    bool open;
};

static void session_close(struct session *session) {
    pthread_mutex_lock(&session->mutex);
    session->open = false;
#if !BUG
    pthread_mutex_unlock(&session->mutex);
#endif
    pthread_mutex_destroy(&session->mutex); /* FAULT a */
}

static void *serve(void *argument) {
    struct session *session = argument;
    pthread_mutex_lock(&session->mutex);
    oracle(session->open, "the session was closed too early");
    pthread_mutex_unlock(&session->mutex);
    return NULL;
}

int main(void) {
    struct session session = {.open = true};
    pthread_mutex_init(&session.mutex, NULL);
    pthread_t server;
    pthread_create(&server, NULL, serve, &session);
    pthread_join(server, NULL);
    session_close(&session);
    return 0;
}
