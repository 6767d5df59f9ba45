/* SPDX-License-Identifier: MIT */
/* mailbox: a box for one letter, senders and receivers; everybody waits at the same condition.
 *
 * expect: hang 39,42,52,55
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define SENDERS   2
#define RECEIVERS 2
#define LETTERS   4 /* per sender, and per receiver */

struct mailbox {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int full;
    int letter;
};

struct person {
    struct mailbox *box;
    int number;
    long sum;
};

static void check(int error, const char *what)
{
    if (error != 0) {
        fprintf(stderr, "%s: error %d\n", what, error);
        exit(2);
    }
}

static void put_letter(struct mailbox *box, int letter)
{
    pthread_mutex_lock(&box->mutex);
    while (box->full)
        pthread_cond_wait(&box->changed, &box->mutex);
    box->letter = letter;
    box->full = 1;
    pthread_cond_signal(&box->changed);
    pthread_mutex_unlock(&box->mutex);
}

static int take_letter(struct mailbox *box)
{
    int letter;

    pthread_mutex_lock(&box->mutex);
    while (!box->full)
        pthread_cond_wait(&box->changed, &box->mutex);
    letter = box->letter;
    box->full = 0;
    pthread_cond_signal(&box->changed);
    pthread_mutex_unlock(&box->mutex);
    return letter;
}

static void *sender(void *arg)
{
    struct person *me = arg;

    for (int i = 0; i < LETTERS; i++) {
        put_letter(me->box, 10 * me->number + i);
        me->sum += 10 * me->number + i;
    }
    return NULL;
}

static void *receiver(void *arg)
{
    struct person *me = arg;

    for (int i = 0; i < LETTERS; i++)
        me->sum -= take_letter(me->box);
    return NULL;
}

int main(void)
{
    struct mailbox box = {.full = 0};
    struct person people[SENDERS + RECEIVERS];
    pthread_t threads[SENDERS + RECEIVERS];
    long balance = 0;

    check(pthread_mutex_init(&box.mutex, NULL), "pthread_mutex_init");
    check(pthread_cond_init(&box.changed, NULL), "pthread_cond_init");
    for (int i = 0; i < SENDERS + RECEIVERS; i++) {
        people[i] = (struct person){&box, i, 0};
        check(pthread_create(&threads[i], NULL, i < SENDERS ? sender : receiver, &people[i]),
              "pthread_create");
    }
    for (int i = 0; i < SENDERS + RECEIVERS; i++) {
        check(pthread_join(threads[i], NULL), "pthread_join");
        balance += people[i].sum;
    }
    pthread_cond_destroy(&box.changed);
    pthread_mutex_destroy(&box.mutex);
    printf("balance %ld\n", balance);
    return balance != 0;
}
