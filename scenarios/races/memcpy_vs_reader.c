/* SPDX-License-Identifier: MIT */
/* memcpy_vs_reader.c - a quote is replaced by memcpy under its lock, and read without.
 *
 * Mechanism: memcpy is many stores; a reader between them sees the old bid with the new ask. The
 * writer's lock is of no use to those who do not take it "only to look".
 */
#include "races/case.h"

#include <string.h>

#define QUOTES 500
#define SPREAD 5

struct quote {
    long bid;
    char venue[240];
    long ask;
};

static struct lock guard = LOCK_INITIALIZER;
static struct quote latest GUARDED_BY(guard) = {.ask = SPREAD};

static void *receive_quotes(void *unused) {
    struct quote received = {.venue = "XETR"};
    for (int i = 1; i <= QUOTES; i++) {
        received.bid = i;
        received.ask = i + SPREAD;
        lock_acquire(&guard);
        memcpy(&latest, &received, sizeof(latest)); /* RACE a */
        lock_release(&guard);
    }
    return unused;
}

static long read_spread(void) {
#if BUG
    long bid = latest.bid; /* RACE b */
    long ask = latest.ask; /* RACE c */
#else
    lock_acquire(&guard);
    long bid = latest.bid;
    long ask = latest.ask;
    lock_release(&guard);
#endif
    return ask - bid;
}

int main(void) {
    pthread_t receiver;
    pthread_create(&receiver, NULL, receive_quotes, NULL);
    int torn = 0;
    for (int i = 0; i < QUOTES; i++)
        torn += read_spread() != SPREAD;
    pthread_join(receiver, NULL);
    oracle(torn == 0, "a bid was read with the ask of another quote");
    return 0;
}
