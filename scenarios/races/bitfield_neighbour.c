/* SPDX-License-Identifier: MIT */
/* bitfield_neighbour.c - two threads count each in a field of its own; the fields share a word.
 *
 * Mechanism: adjacent bit-fields are one memory location to C: writing one reads and writes back
 * the other, with the value that it had a moment ago. Members that are no bit-fields are separate.
 */
#include "races/case.h"

#include <stdint.h>

#define EVENTS 1000

struct statistics {
#if BUG
    uint32_t sent : 20;
    uint32_t dropped : 12;
#else
    uint32_t sent;
    uint16_t dropped;
#endif
};

static struct statistics statistics;

static void *count_sent(void *unused) {
    for (int i = 0; i < EVENTS; i++)
        statistics.sent++; /* RACE a */
    return unused;
}

static void *count_dropped(void *unused) {
    for (int i = 0; i < EVENTS; i++)
        statistics.dropped++; /* RACE b */
    return unused;
}

int main(void) {
    pthread_t sender, dropper;
    pthread_create(&sender, NULL, count_sent, NULL);
    pthread_create(&dropper, NULL, count_dropped, NULL);
    pthread_join(sender, NULL);
    pthread_join(dropper, NULL);
    oracle(statistics.sent == EVENTS, "counts of sent packets were undone");
    oracle(statistics.dropped == EVENTS, "counts of dropped packets were undone");
    return 0;
}
