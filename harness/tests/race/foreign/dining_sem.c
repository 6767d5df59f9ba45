/* SPDX-License-Identifier: MIT */
/* dining: philosophers at a round table, a semaphore a fork; the textbook's first attempt.
 *
 * expect: deadlock 23,45,46
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>

#define N     3		/* number of philosophers */
#define MEALS 3		/* each eats so many times */

#define LEFT(i)  (i)
#define RIGHT(i) (((i) + 1) % N)

static sem_t fork_on_table[N];
static int eaten[N];
static int id[N];

/* down: wait for a semaphore, signals or not */
static void down(sem_t *s) {
	while (sem_wait(s) == -1)
		if (errno != EINTR) {
			perror("sem_wait");
			return;
		}
}

/* up: the reverse */
static void up(sem_t *s) {
	sem_post(s);
}

/* think: a little arithmetic keeps a philosopher busy */
static unsigned think(unsigned x) {
	int i;

	for (i = 0; i < 20; i++)
		x = x * 69069 + 1;
	return x;
}

static void take_forks(int i) {
	down(&fork_on_table[LEFT(i)]);
	down(&fork_on_table[RIGHT(i)]);
}

static void put_forks(int i) {
	up(&fork_on_table[RIGHT(i)]);
	up(&fork_on_table[LEFT(i)]);
}

static void *philosopher(void *arg) {
	int i = *(int *)arg;
	unsigned thought = (unsigned)i;

	while (eaten[i] < MEALS) {
		thought = think(thought);
		take_forks(i);
		eaten[i]++;
		put_forks(i);
	}
	return thought ? arg : NULL;
}

int main(void) {
	pthread_t seat[N];
	int i, meals = 0;

	for (i = 0; i < N; i++)
		if (sem_init(&fork_on_table[i], 0, 1) == -1) {
			perror("sem_init");
			return 2;
		}
	for (i = 0; i < N; i++) {
		id[i] = i;
		if (pthread_create(&seat[i], NULL, philosopher, &id[i]) != 0)
			return 2;
	}
	for (i = 0; i < N; i++)
		pthread_join(seat[i], NULL);
	for (i = 0; i < N; i++) {
		meals += eaten[i];
		sem_destroy(&fork_on_table[i]);
	}
	printf("%d meals\n", meals);
	return 0;
}
