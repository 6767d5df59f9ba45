/* SPDX-License-Identifier: MIT */
/* ms_queue: the queue of Michael and Scott (PODC 1996). Nodes come from an array and are never
 * used twice, so that neither ABA nor reclamation is a problem.
 *
 * expect: none
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#define PRODUCERS 2
#define CONSUMERS 2
#define ITEMS     40 /* from each producer */

struct node {
    int value; /* written before the node is linked, by whoever links it */
    _Atomic(struct node *) next;
};

struct queue {
    _Atomic(struct node *) head;
    _Atomic(struct node *) tail;
    atomic_size_t used;
    struct node nodes[PRODUCERS * ITEMS + 1];
};

static struct queue *q;
static atomic_int taken;

static struct node *fresh_node(int value)
{
    struct node *n = &q->nodes[atomic_fetch_add(&q->used, 1)];
    n->value = value;
    atomic_init(&n->next, NULL);
    return n;
}

static void enqueue(int value)
{
    struct node *n = fresh_node(value);

    for (;;) {
        struct node *tail = atomic_load_explicit(&q->tail, memory_order_acquire);
        struct node *next = atomic_load_explicit(&tail->next, memory_order_acquire);

        if (next != NULL) { /* the tail lags behind: help */
            atomic_compare_exchange_strong_explicit(&q->tail, &tail, next, memory_order_acq_rel,
                                                    memory_order_relaxed);
        } else if (atomic_compare_exchange_weak_explicit(&tail->next, &next, n,
                                                         memory_order_release,
                                                         memory_order_relaxed)) {
            atomic_compare_exchange_strong_explicit(&q->tail, &tail, n, memory_order_acq_rel,
                                                    memory_order_relaxed);
            return;
        }
    }
}

static int dequeue(int *value)
{
    for (;;) {
        struct node *head = atomic_load_explicit(&q->head, memory_order_acquire);
        struct node *tail = atomic_load_explicit(&q->tail, memory_order_acquire);
        struct node *next = atomic_load_explicit(&head->next, memory_order_acquire);

        if (next == NULL)
            return 0;
        if (head == tail) {
            atomic_compare_exchange_strong_explicit(&q->tail, &tail, next, memory_order_acq_rel,
                                                    memory_order_relaxed);
            continue;
        }
        *value = next->value;
        if (atomic_compare_exchange_strong_explicit(&q->head, &head, next, memory_order_acq_rel,
                                                    memory_order_relaxed))
            return 1;
    }
}

static void *produce(void *arg)
{
    int first = *(int *)arg;

    for (int i = 0; i < ITEMS; i++)
        enqueue(first + i);
    return NULL;
}

static void *consume(void *arg)
{
    long *sum = arg;
    int value;

    while (atomic_load_explicit(&taken, memory_order_relaxed) < PRODUCERS * ITEMS) {
        if (dequeue(&value)) {
            atomic_fetch_add_explicit(&taken, 1, memory_order_relaxed);
            *sum += (long)value * value;
        } else {
            sched_yield();
        }
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[PRODUCERS + CONSUMERS];
    int first[PRODUCERS];
    long sums[CONSUMERS] = {0}, sum = 0;

    q = calloc(1, sizeof *q);
    if (q == NULL)
        return 2;
    struct node *dummy = fresh_node(0);
    atomic_init(&q->head, dummy);
    atomic_init(&q->tail, dummy);
    for (int i = 0; i < PRODUCERS; i++) {
        first[i] = 100 * i;
        if (pthread_create(&threads[i], NULL, produce, &first[i]) != 0)
            return 2;
    }
    for (int i = 0; i < CONSUMERS; i++)
        if (pthread_create(&threads[PRODUCERS + i], NULL, consume, &sums[i]) != 0)
            return 2;
    for (int i = 0; i < PRODUCERS + CONSUMERS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < CONSUMERS; i++)
        sum += sums[i];
    free(q);
    printf("sum of squares %ld\n", sum);
    return 0;
}
