/* SPDX-License-Identifier: MIT */
/* state_not_failed_race.c - a user asks whether loading has failed, not whether it has ended.
 *
 * Mechanism: the state is stored with release and loaded with acquire, which orders the limit
 * before its use only where the load sees that store; as a rule loading is over by then. The error
 * path was thought of, the third state was not.
 */
#include "races/case.h"

#include <stdatomic.h>
#include <string.h>

enum state { LOADING, READY, FAILED };

static atomic_int state = LOADING;
static int limit;
static char request[4 << 20];

static void *load(void *argument) {
    const char *text = argument;
    limit = atoi(text); /* RACE a */
    /* release: partner is the load in serve */
    atomic_store_explicit(&state, limit > 0 ? READY : FAILED, memory_order_release);
    return NULL;
}

static void *serve(void *unused) {
    memset(request, 'r', sizeof request);
    /* acquire: partner is the store in load */
    const int seen = atomic_load_explicit(&state, memory_order_acquire);
#if BUG
    if (seen == FAILED)
#else
    if (seen != READY)
#endif
        return unused;
    oracle(limit == 8, "served without a limit"); /* RACE b */
    return unused;
}

int main(void) {
    static char text[] = "8";
    pthread_t loader, server;
    pthread_create(&loader, NULL, load, text);
    pthread_create(&server, NULL, serve, NULL);
    pthread_join(loader, NULL);
    pthread_join(server, NULL);
    return 0;
}
