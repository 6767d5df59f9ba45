// SPDX-License-Identifier: MIT
/*
 * completion_free.c - a thread waits for a piece of work done by another, then frees it
 *
 * expect: heap-use-after-free 37,38,55,72,90,91,108
 * expect: data-race 37,38,55,72,90,91,108
 */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define NR_WORK	6

struct completion {
	pthread_mutex_t lock;
	pthread_cond_t wait;
	bool done;
};

struct work {
	int input;
	long output;
	struct completion finished;
};

static void init_completion(struct completion *x)
{
	pthread_mutex_init(&x->lock, NULL);
	pthread_cond_init(&x->wait, NULL);
	x->done = false;
}

static void destroy_completion(struct completion *x)
{
	pthread_cond_destroy(&x->wait);
	pthread_mutex_destroy(&x->lock);
}

static void wait_for_completion(struct completion *x)
{
	pthread_mutex_lock(&x->lock);
	while (!x->done)
		pthread_cond_wait(&x->wait, &x->lock);
	pthread_mutex_unlock(&x->lock);
}

/* Wake the waiter when the lock is free, lest it wake only to wait for the lock. */
static void complete(struct completion *x)
{
	pthread_mutex_lock(&x->lock);
	x->done = true;
	pthread_mutex_unlock(&x->lock);
	pthread_cond_signal(&x->wait);
}

static long collatz_steps(int n)
{
	long steps = 0;

	for (long x = n; x > 1; steps++)
		x = x % 2 ? 3 * x + 1 : x / 2;
	return steps;
}

static void *work_func(void *data)
{
	struct work *work = data;

	work->output = collatz_steps(work->input);
	complete(&work->finished);
	return NULL;
}

static struct work *alloc_work(int input)
{
	struct work *work = malloc(sizeof(*work));

	if (!work)
		return NULL;
	work->input = input;
	work->output = 0;
	init_completion(&work->finished);
	return work;
}

static void free_work(struct work *work)
{
	destroy_completion(&work->finished);
	free(work);
}

int main(void)
{
	pthread_t threads[NR_WORK];
	long total = 0;

	for (int i = 0; i < NR_WORK; i++) {
		struct work *work = alloc_work(27 + i);

		if (!work)
			return ENOMEM;
		if (pthread_create(&threads[i], NULL, work_func, work))
			return EAGAIN;
		wait_for_completion(&work->finished);
		total += work->output;
		free_work(work);
	}
	for (int i = 0; i < NR_WORK; i++)
		pthread_join(threads[i], NULL);
	printf("total %ld\n", total);
	return 0;
}
