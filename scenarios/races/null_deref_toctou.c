/* SPDX-License-Identifier: MIT */
/* null_deref_toctou.c - a session is tested for NULL and then used, while another thread closes it.
 *
 * Mechanism: between test and use it becomes NULL.
 */
#include "races/case.h"

#define REQUESTS 20000
#define ROUNDS 8000
#define REOPEN_EVERY 10
#define REQUEST_BYTES 100

struct session {
    long requests;
};
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static struct session only, *session = &only;
static int checksum;

static int parse(int request) {
    int sum = request;
    for (int i = 0; i < REQUEST_BYTES; i++)
        sum = (sum * 31 + i) % 65521;
    return sum;
}

static void *close_and_open(void *data) {
    for (int i = 1; i <= ROUNDS; i++) {
        *(int *)data += parse(i);
        pthread_mutex_lock(&guard);
        session = i % REOPEN_EVERY == 0 ? &only : NULL; /* RACE a */
        pthread_mutex_unlock(&guard);
    }
    return NULL;
}

static void serve(int request) {
    if (!session) /* RACE b */
        return;
    checksum = parse(request);
    session->requests++; /* RACE c */
}

int main(void) {
    pthread_t opener;
    int closed_checksum = 0;
    pthread_create(&opener, NULL, close_and_open, &closed_checksum);
    for (int i = 0; i < REQUESTS; i++) {
#if !BUG
        pthread_mutex_lock(&guard);
#endif
        serve(i);
#if !BUG
        pthread_mutex_unlock(&guard);
#endif
    }
    pthread_join(opener, NULL);
    return 0;
}
