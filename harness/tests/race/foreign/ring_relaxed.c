// SPDX-License-Identifier: MIT
/*
 * ring.c - lockless ring between one producer and one consumer
 *
 * head is only written by the producer, tail only by the consumer, hence no lock is required.
 *
 * expect: data-race 44,45,46,59,60
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

typedef unsigned int u32;
typedef unsigned long long u64;

#define RING_ORDER	3
#define RING_SIZE	(1u << RING_ORDER)
#define RING_MASK	(RING_SIZE - 1)
#define NR_PACKETS	60u

struct packet {
	u32 len;
	u32 csum;
};

struct ring {
	atomic_uint head;
	atomic_uint tail;
	struct packet slots[RING_SIZE];
};

static int ring_put(struct ring *r, u32 len, u32 csum)
{
	u32 head = atomic_load_explicit(&r->head, memory_order_relaxed);
	u32 tail = atomic_load_explicit(&r->tail, memory_order_acquire);
	struct packet *p = &r->slots[head & RING_MASK];

	if (head - tail == RING_SIZE)
		return -ENOBUFS;

	p->len = len;
	p->csum = csum;
	atomic_store_explicit(&r->head, head + 1, memory_order_relaxed);
	return 0;
}

static int ring_get(struct ring *r, struct packet *out)
{
	u32 tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
	u32 head = atomic_load_explicit(&r->head, memory_order_acquire);
	const struct packet *p = &r->slots[tail & RING_MASK];

	if (head == tail)
		return -EAGAIN;

	out->len = p->len;
	out->csum = p->csum;
	atomic_store_explicit(&r->tail, tail + 1, memory_order_release);
	return 0;
}

static void *xmit_thread(void *data)
{
	struct ring *r = data;
	u32 i;

	for (i = 0; i < NR_PACKETS; i++)
		while (ring_put(r, i, ~i))
			sched_yield();
	return NULL;
}

int main(void)
{
	struct ring *r;
	struct packet pkt;
	pthread_t task;
	u64 bytes = 0;
	u32 i, bad = 0;
	int err;

	r = calloc(1, sizeof(*r));
	if (!r)
		return ENOMEM;

	err = pthread_create(&task, NULL, xmit_thread, r);
	if (err)
		goto out_free;

	for (i = 0; i < NR_PACKETS; i++) {
		while (ring_get(r, &pkt))
			sched_yield();
		bytes += pkt.len;
		bad += pkt.csum != ~pkt.len;
	}
	pthread_join(task, NULL);
	printf("ring: %llu bytes, %u bad\n", bytes, bad);

out_free:
	free(r);
	return err;
}
