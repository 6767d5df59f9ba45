/* SPDX-License-Identifier: MIT */
/* volatile_as_sync.c - a ring between two threads has volatile indices and no lock.
 *
 * Mechanism: volatile keeps the compiler from dropping an access; it orders nothing for another
 * thread, and neither the slots nor the indices are safe by it.
 */
#include "races/case.h"

#include <sched.h>

#define SLOTS 8
#define MESSAGES 500

static int slots[SLOTS];
#if BUG
static volatile unsigned head, tail;
#define ENTER() ((void)0)
#define LEAVE() ((void)0)
#else
static unsigned head, tail;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
#define ENTER() pthread_mutex_lock(&mutex)
#define LEAVE() pthread_mutex_unlock(&mutex)
#endif

/* False where the ring is full. */
static bool push(int message) {
    ENTER();
    bool has_room = head - tail < SLOTS; /* RACE a */
    if (has_room) {
        slots[head % SLOTS] = message; /* RACE b */
        head++;                        /* RACE c */
    }
    LEAVE();
    return has_room;
}

/* False where the ring is empty. */
static bool pop(int *message) {
    ENTER();
    bool has_message = head != tail; /* RACE d */
    if (has_message) {
        *message = slots[tail % SLOTS]; /* RACE e */
        tail++;                         /* RACE f */
    }
    LEAVE();
    return has_message;
}

static void *send(void *unused) {
    for (int i = 0; i < MESSAGES; i++) {
        while (!push(i))
            sched_yield();
    }
    return unused;
}

int main(void) {
    pthread_t sender;
    pthread_create(&sender, NULL, send, NULL);
    for (int i = 0; i < MESSAGES; i++) {
        int message = -1;
        while (!pop(&message))
            sched_yield();
        oracle(message == i, "a message was lost or changed");
    }
    pthread_join(sender, NULL);
    return 0;
}
