/* SPDX-License-Identifier: MIT */
/* null_deref_toctou.c - a session is tested for NULL and then used, while another thread closes it.
 *
 * Mechanism: between test and use it becomes NULL.
 */
#include "races/case.h"

#define ROUNDS 20000
#define REQUEST_BYTES 100

struct session {
    long requests;
};
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static struct session only, *session;
static int checksum;

static void *open_and_close(void *unused) {
    for (int i = 0; i < ROUNDS; i++) {
        pthread_mutex_lock(&guard);
        session = i % 2 == 0 ? &only : NULL; /* RACE a */
        pthread_mutex_unlock(&guard);
    }
    return unused;
}

static int parse(int request) {
    int sum = request;
    for (int i = 0; i < REQUEST_BYTES; i++)
        sum = (sum * 31 + i) % 65521;
    return sum;
}

static void serve(int request) {
    checksum = parse(request);
    if (!session) /* RACE b */
        return;
    checksum += parse(checksum);
    session->requests++; /* RACE c */
}

int main(void) {
    pthread_t opener;
    pthread_create(&opener, NULL, open_and_close, NULL);
    for (int i = 0; i < ROUNDS; i++) {
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
