/* SPDX-License-Identifier: MIT */
/* double_checked_init.c - settings are made at first use; later users look without the lock.
 *
 * Mechanism: the look before the lock is a plain load of what another thread stores under it. Who
 * finds the pointer set has no order with the filling, and may read settings not yet written.
 */
#include "races/case.h"

#define THREADS 3
#define REQUESTS 20

struct settings {
    int timeout_ms;
    int retries;
};

static struct lock guard = LOCK_INITIALIZER;
static struct settings *instance GUARDED_BY(guard);

static struct settings *make_settings(void) {
    struct settings *fresh = malloc(sizeof(*fresh)); /* RACE h */
    if (fresh == NULL)
        abort();
    fresh->timeout_ms = 250; /* RACE a */
    fresh->retries = 3;      /* RACE b */
    return fresh;
}

static const struct settings *get_settings(void) {
#if BUG
    if (instance != NULL) /* RACE c */
        return instance;  /* RACE d */
#endif
    lock_acquire(&guard);
    if (instance == NULL)
        instance = make_settings(); /* RACE e */
    const struct settings *settings = instance;
    lock_release(&guard);
    return settings;
}

static void *serve(void *unused) {
    for (int i = 0; i < REQUESTS; i++) {
        const struct settings *settings = get_settings();
        oracle(settings->timeout_ms == 250, "a timeout not yet set was used");     /* RACE f */
        oracle(settings->retries == 3, "a count of retries not yet set was used"); /* RACE g */
    }
    return unused;
}

int main(void) {
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, serve, NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    lock_acquire(&guard);
    free(instance);
    lock_release(&guard);
    return 0;
}
