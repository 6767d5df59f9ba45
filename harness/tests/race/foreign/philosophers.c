/* SPDX-License-Identifier: MIT */
/* philosophers: after Tanenbaum, Operating Systems: Design and Implementation. A philosopher
 * eats only if neither neighbour does; a semaphore each to wait at, one to guard the states.
 *
 * expect: none
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>

#define N        5		/* number of philosophers */
#define LEFT(i)  (((i) + N - 1) % N)
#define RIGHT(i) (((i) + 1) % N)
#define MEALS    8

enum { THINKING, HUNGRY, EATING };

static int state[N];		/* all under mutex */
static sem_t mutex;
static sem_t s[N];
static int eaten[N];
static int quarrels;		/* under mutex */

static void down(sem_t *sem) {
	while (sem_wait(sem) == -1)
		if (errno != EINTR)
			abort();
}

static void up(sem_t *sem) {
	if (sem_post(sem) == -1)
		abort();
}

/* test: let i eat if he can */
static void test(int i) {
	if (state[i] == HUNGRY && state[LEFT(i)] != EATING && state[RIGHT(i)] != EATING) {
		state[i] = EATING;
		up(&s[i]);
	}
}

static void take_forks(int i) {
	down(&mutex);
	state[i] = HUNGRY;
	test(i);
	up(&mutex);
	down(&s[i]);
}

static void put_forks(int i) {
	down(&mutex);
	if (state[LEFT(i)] == EATING || state[RIGHT(i)] == EATING)
		quarrels++;
	state[i] = THINKING;
	test(LEFT(i));
	test(RIGHT(i));
	up(&mutex);
}

static void *philosopher(void *arg) {
	int i = (int)((int *)arg - eaten);

	while (eaten[i] < MEALS) {
		take_forks(i);
		eaten[i]++;
		put_forks(i);
	}
	return NULL;
}

int main(void) {
	pthread_t t[N];
	int i, meals = 0;

	if (sem_init(&mutex, 0, 1) == -1)
		return 2;
	for (i = 0; i < N; i++)
		if (sem_init(&s[i], 0, 0) == -1)
			return 2;
	for (i = 0; i < N; i++)
		if (pthread_create(&t[i], NULL, philosopher, &eaten[i]) != 0)
			return 2;
	for (i = 0; i < N; i++) {
		pthread_join(t[i], NULL);
		meals += eaten[i];
	}
	for (i = 0; i < N; i++)	/* only now that nobody can post any more */
		sem_destroy(&s[i]);
	sem_destroy(&mutex);
	printf("%d meals, %d quarrels\n", meals, quarrels);
	return quarrels != 0;
}
