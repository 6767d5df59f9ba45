/* SPDX-License-Identifier: MIT */
/* refcount_plain.c - messages go to two threads; the last to drop one frees it, by a plain count.
 *
 * Mechanism: two threads that drop at once may both read 2 and both write 1: nobody frees. What the
 * one did with the message has no order with the other's free either.
 */
#include "races/case.h"

#define READERS 2
#define MESSAGES 300

struct message {
    int references;
    int number;
};

static struct message *messages[MESSAGES];

/* True where the message was freed. */
static bool drop(struct message *message) {
#if BUG
    int left = --message->references; /* RACE a */
#else
    /* Acquire and release: pairs with the other reader's drop, so that its reading is done. */
    int left = __atomic_sub_fetch(&message->references, 1, __ATOMIC_ACQ_REL);
#endif
    if (left > 0)
        return false;
    free(message); /* RACE b */
    return true;
}

static void *read_messages(void *argument) {
    int *freed = argument;
    for (int i = 0; i < MESSAGES; i++) {
        oracle(messages[i]->number == i, "a message was freed too early"); /* RACE c */
        *freed += drop(messages[i]);
    }
    return NULL;
}

int main(void) {
    for (int i = 0; i < MESSAGES; i++) {
        messages[i] = malloc(sizeof(struct message));
        if (messages[i] == NULL)
            abort();
        *messages[i] = (struct message){READERS, i};
    }
    pthread_t threads[READERS];
    int freed[READERS] = {0};
    for (int i = 0; i < READERS; i++)
        pthread_create(&threads[i], NULL, read_messages, &freed[i]);
    for (int i = 0; i < READERS; i++)
        pthread_join(threads[i], NULL);
    oracle(freed[0] + freed[1] == MESSAGES, "a message was never freed, or twice");
    return 0;
}
