/* SPDX-License-Identifier: MIT */
/* ring_publish_before_fill.c - a packet is put into the ring, and its length set after that.
 *
 * Mechanism: who takes the packet at once reads what is being written. As a rule the receiver has
 * meanwhile had the spin lock a second time, for its statistics, before the packet is taken.
 */
#include "races/case.h"

#include <string.h>

#define SLOTS 4

struct packet {
    int length;
};

static pthread_spinlock_t spinlock;
static struct packet *ring[SLOTS];
static int filled, taken;
static long received;
static char frame[4 << 20];

static void *receive(void *argument) {
    struct packet *packet = argument;
#if !BUG
    packet->length = 64;
#endif
    pthread_spin_lock(&spinlock);
    ring[filled++ % SLOTS] = packet;
    pthread_spin_unlock(&spinlock);
#if BUG
    packet->length = 64; /* RACE a */
#endif
    pthread_spin_lock(&spinlock);
    received++;
    pthread_spin_unlock(&spinlock);
    return NULL;
}

static void *forward(void *unused) {
    memset(frame, 0, sizeof frame);
    struct packet *packet = NULL;
    pthread_spin_lock(&spinlock);
    if (taken < filled)
        packet = ring[taken++ % SLOTS];
    pthread_spin_unlock(&spinlock);
    if (packet != NULL)
        oracle(packet->length == 64, "a packet without its length"); /* RACE b */
    return unused;
}

int main(void) {
    struct packet packet = {.length = 0};
    pthread_t receiver, forwarder;
    pthread_spin_init(&spinlock, PTHREAD_PROCESS_PRIVATE);
    pthread_create(&receiver, NULL, receive, &packet);
    pthread_create(&forwarder, NULL, forward, NULL);
    pthread_join(receiver, NULL);
    pthread_join(forwarder, NULL);
    pthread_spin_destroy(&spinlock);
    return 0;
}
