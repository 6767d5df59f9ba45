/* SPDX-License-Identifier: MIT */
/*
 * mpsc_stack: many threads push messages, one takes them all at once. As nothing is popped
 * singly, there is no ABA, and a node is freed by the only thread that can reach it.
 *
 * expect: none
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define SENDERS 3
#define MESSAGES 40

typedef struct Message {
    struct Message *next;
    int senderId;
    int sequence;
} Message;

typedef struct {
    _Atomic(Message *) top;
    atomic_int sendersLeft;
} Mailbox;

typedef struct {
    pthread_t thread;
    Mailbox *mailbox;
    int senderId;
} Sender;

static void mailboxPush(Mailbox *mailbox, Message *message)
{
    message->next = atomic_load_explicit(&mailbox->top, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&mailbox->top, &message->next, message,
                                                  memory_order_release, memory_order_relaxed))
        ;
}

/* Everything pushed so far, the oldest first. */
static Message *mailboxTakeAll(Mailbox *mailbox)
{
    Message *message = atomic_exchange_explicit(&mailbox->top, NULL, memory_order_acquire);
    Message *reversed = NULL;

    while (message != NULL) {
        Message *next = message->next;
        message->next = reversed;
        reversed = message;
        message = next;
    }
    return reversed;
}

static void *senderMain(void *argument)
{
    Sender *self = argument;

    for (int i = 0; i < MESSAGES; i++) {
        Message *message = malloc(sizeof *message);
        if (message == NULL)
            abort();
        message->senderId = self->senderId;
        message->sequence = i;
        mailboxPush(self->mailbox, message);
    }
    atomic_fetch_sub_explicit(&self->mailbox->sendersLeft, 1, memory_order_release);
    return NULL;
}

/* Takes what there is; returns how many, and adds up in *checksum. */
static int receiveSome(Mailbox *mailbox, int nextSequence[SENDERS], long *checksum)
{
    int received = 0;
    Message *message = mailboxTakeAll(mailbox);

    while (message != NULL) {
        Message *next = message->next;
        if (message->sequence != nextSequence[message->senderId]++) {
            fprintf(stderr, "sender %d out of order\n", message->senderId);
            exit(1);
        }
        *checksum += (long)message->sequence * (message->senderId + 1);
        free(message);
        message = next;
        received++;
    }
    return received;
}

int main(void)
{
    static Mailbox mailbox;
    Sender senders[SENDERS];
    int nextSequence[SENDERS] = {0};
    int received = 0, sendersLeft;
    long checksum = 0;

    atomic_init(&mailbox.sendersLeft, SENDERS);
    for (int i = 0; i < SENDERS; i++) {
        senders[i].mailbox = &mailbox;
        senders[i].senderId = i;
        if (pthread_create(&senders[i].thread, NULL, senderMain, &senders[i]) != 0)
            return 2;
    }
    do {
        sendersLeft = atomic_load_explicit(&mailbox.sendersLeft, memory_order_acquire);
        int now = receiveSome(&mailbox, nextSequence, &checksum);
        received += now;
        if (now == 0)
            sched_yield();
    } while (sendersLeft > 0);
    for (int i = 0; i < SENDERS; i++)
        pthread_join(senders[i].thread, NULL);
    printf("%d messages, checksum %ld\n", received, checksum);
    return received == SENDERS * MESSAGES ? 0 : 1;
}
