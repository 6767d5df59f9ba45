// SPDX-License-Identifier: MIT
/*
 * spsc_ring.c - single producer, single consumer ring without locks
 *
 * Memory barriers: the store of head in ring_put() is a release and pairs with the acquire in
 * ring_get(), so that the consumer sees the slot filled; tail likewise the other way round, so
 * that the producer does not overwrite a slot that is still being read.
 *
 * expect: none
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define ____cacheline_aligned	_Alignas(64)
#define RING_SIZE	8u	/* a power of two */
#define NR_MSGS		80u

struct msg {
	unsigned int seq;
	unsigned int *payload;	/* owned by the receiver */
};

struct ring {
	____cacheline_aligned atomic_uint head;
	____cacheline_aligned atomic_uint tail;
	____cacheline_aligned struct msg slots[RING_SIZE];
};

static struct ring to_worker, from_worker;

static bool ring_put(struct ring *r, struct msg m)
{
	unsigned int head = atomic_load_explicit(&r->head, memory_order_relaxed);

	if (head - atomic_load_explicit(&r->tail, memory_order_acquire) == RING_SIZE)
		return false;
	r->slots[head % RING_SIZE] = m;
	atomic_store_explicit(&r->head, head + 1, memory_order_release);
	return true;
}

static bool ring_get(struct ring *r, struct msg *m)
{
	unsigned int tail = atomic_load_explicit(&r->tail, memory_order_relaxed);

	if (atomic_load_explicit(&r->head, memory_order_acquire) == tail)
		return false;
	*m = r->slots[tail % RING_SIZE];
	atomic_store_explicit(&r->tail, tail + 1, memory_order_release);
	return true;
}

static void *worker(void *unused)
{
	struct msg m;
	unsigned int i;

	for (i = 0; i < NR_MSGS; i++) {
		while (!ring_get(&to_worker, &m))
			sched_yield();
		*m.payload = *m.payload * *m.payload + m.seq;
		while (!ring_put(&from_worker, m))
			sched_yield();
	}
	return unused;
}

static int receive(unsigned int expected, unsigned long *sum)
{
	struct msg m;

	if (!ring_get(&from_worker, &m))
		return -EAGAIN;
	if (m.seq != expected) {
		fprintf(stderr, "seq %u, expected %u\n", m.seq, expected);
		exit(1);
	}
	*sum += *m.payload;
	free(m.payload);
	return 0;
}

int main(void)
{
	unsigned int sent = 0, received = 0;
	unsigned long sum = 0;
	pthread_t task;

	if (pthread_create(&task, NULL, worker, NULL))
		return 2;

	while (received < NR_MSGS) {
		if (sent < NR_MSGS) {
			struct msg m = {.seq = sent, .payload = malloc(sizeof(*m.payload))};

			if (!m.payload)
				return 2;
			*m.payload = sent;
			if (ring_put(&to_worker, m))
				sent++;
			else
				free(m.payload);
		}
		if (receive(received, &sum) == 0)
			received++;
		else
			sched_yield();
	}
	pthread_join(task, NULL);
	printf("sum %lu\n", sum);
	return 0;
}
