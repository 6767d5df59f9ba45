/* SPDX-License-Identifier: MIT */
/* pool.c - a pool of threads with statistics that are added up when it shuts down.
 *
 * expect: data-race 51,52
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define POOL_THREADS 3
#define JOBS 24

typedef struct job_s {
	struct job_s *next;
	void (*run)(void *);
	void *arg;
} job_t;

typedef struct pool_s {
	pthread_mutex_t lock;
	pthread_cond_t work;
	job_t *head, **tail;
	int shutdown;
	long jobs_run;
	long threads_run;
	pthread_t threads[POOL_THREADS];
} pool_t;

static void *
pool_worker(void *arg)
{
	pool_t *p = arg;
	job_t *j;
	long run = 0;

	pthread_mutex_lock(&p->lock);
	for (;;) {
		while (p->head == NULL && !p->shutdown)
			pthread_cond_wait(&p->work, &p->lock);
		if ((j = p->head) == NULL)
			break;
		if ((p->head = j->next) == NULL)
			p->tail = &p->head;
		pthread_mutex_unlock(&p->lock);
		j->run(j->arg);
		free(j);
		run++;
		pthread_mutex_lock(&p->lock);
	}
	pthread_mutex_unlock(&p->lock);
	p->jobs_run += run;
	p->threads_run++;
	return NULL;
}

static void
pool_add(pool_t *p, void (*run)(void *), void *arg)
{
	job_t *j = malloc(sizeof *j);

	if (j == NULL)
		abort();
	j->next = NULL;
	j->run = run;
	j->arg = arg;
	pthread_mutex_lock(&p->lock);
	*p->tail = j;
	p->tail = &j->next;
	pthread_mutex_unlock(&p->lock);
	pthread_cond_signal(&p->work);
}

static void
pool_start(pool_t *p)
{
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->work, NULL);
	p->head = NULL;
	p->tail = &p->head;
	p->shutdown = 0;
	p->jobs_run = p->threads_run = 0;
	for (int i = 0; i < POOL_THREADS; i++)
		if (pthread_create(&p->threads[i], NULL, pool_worker, p) != 0)
			abort();
}

static void
pool_stop(pool_t *p)
{
	pthread_mutex_lock(&p->lock);
	p->shutdown = 1;
	pthread_cond_broadcast(&p->work);
	pthread_mutex_unlock(&p->lock);
	for (int i = 0; i < POOL_THREADS; i++)
		pthread_join(p->threads[i], NULL);
	pthread_cond_destroy(&p->work);
	pthread_mutex_destroy(&p->lock);
}

static void
square(void *arg)
{
	int *n = arg;
	*n *= *n;
}

int
main(void)
{
	static int numbers[JOBS];
	pool_t pool;
	int sum = 0;

	pool_start(&pool);
	for (int i = 0; i < JOBS; i++) {
		numbers[i] = i;
		pool_add(&pool, square, &numbers[i]);
	}
	pool_stop(&pool);
	for (int i = 0; i < JOBS; i++)
		sum += numbers[i];
	printf("sum %d by %ld jobs in %ld threads\n", sum, pool.jobs_run, pool.threads_run);
	return 0;
}
