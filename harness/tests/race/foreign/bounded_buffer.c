/* SPDX-License-Identifier: MIT */
/* bounded_buffer: producers and consumers; consumers wait with a short timeout and count
 * how often it struck (which is nobody's fault).
 *
 * expect: none
 */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>

#define SLOTS     4
#define PRODUCERS 2
#define CONSUMERS 3
#define ITEMS     30	/* from each producer */

static struct {
	pthread_mutex_t lock;
	pthread_cond_t not_full, not_empty;
	int slot[SLOTS];
	int in, out, count;
	int producers;		/* still at work */
	long timeouts;
} buf = {
	PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, PTHREAD_COND_INITIALIZER,
	{0}, 0, 0, 0, PRODUCERS, 0
};

/* soon: the time a millisecond from now */
static struct timespec soon(void) {
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_nsec += 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_nsec -= 1000000000;
		t.tv_sec++;
	}
	return t;
}

static void put(int item) {
	pthread_mutex_lock(&buf.lock);
	while (buf.count == SLOTS)
		pthread_cond_wait(&buf.not_full, &buf.lock);
	buf.slot[buf.in] = item;
	buf.in = (buf.in + 1) % SLOTS;
	buf.count++;
	pthread_cond_signal(&buf.not_empty);
	pthread_mutex_unlock(&buf.lock);
}

/* get: fetch an item; 0 when there will be no more */
static int get(int *item) {
	struct timespec t;
	int found;

	pthread_mutex_lock(&buf.lock);
	while (buf.count == 0 && buf.producers > 0) {
		t = soon();
		if (pthread_cond_timedwait(&buf.not_empty, &buf.lock, &t) == ETIMEDOUT)
			buf.timeouts++;
	}
	if ((found = buf.count > 0) != 0) {
		*item = buf.slot[buf.out];
		buf.out = (buf.out + 1) % SLOTS;
		buf.count--;
		pthread_cond_signal(&buf.not_full);
	}
	pthread_mutex_unlock(&buf.lock);
	return found;
}

static void *producer(void *arg) {
	int i, first = *(int *)arg;

	for (i = 0; i < ITEMS; i++)
		put(first + i);
	pthread_mutex_lock(&buf.lock);
	if (--buf.producers == 0)
		pthread_cond_broadcast(&buf.not_empty);
	pthread_mutex_unlock(&buf.lock);
	return NULL;
}

static void *consumer(void *arg) {
	int item;

	while (get(&item))
		*(long *)arg += (long)item * item;
	return NULL;
}

int main(void) {
	pthread_t p[PRODUCERS], c[CONSUMERS];
	int i, first[PRODUCERS];
	long sum[CONSUMERS] = {0}, total = 0;

	for (i = 0; i < CONSUMERS; i++)
		if (pthread_create(&c[i], NULL, consumer, &sum[i]) != 0)
			return 2;
	for (i = 0; i < PRODUCERS; i++) {
		first[i] = 1000 * i;
		if (pthread_create(&p[i], NULL, producer, &first[i]) != 0)
			return 2;
	}
	for (i = 0; i < PRODUCERS; i++)
		pthread_join(p[i], NULL);
	for (i = 0; i < CONSUMERS; i++) {
		pthread_join(c[i], NULL);
		total += sum[i];
	}
	printf("sum of squares %ld\n", total);
	return 0;
}
