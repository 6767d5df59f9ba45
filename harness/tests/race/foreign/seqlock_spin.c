// SPDX-License-Identifier: MIT
/*
 * seqlock_spin.c - a clock that is read much and set rarely
 *
 * Writers exclude one another by a spinlock. Readers retry when the sequence was odd or has
 * changed; what they copy meanwhile is atomic too (relaxed), hence no data race.
 *
 * expect: none
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#define NR_WRITERS	2
#define NR_READERS	2
#define NR_WRITES	25
#define NR_READS	40

struct spinlock {
	atomic_flag locked;
};

struct seqclock {
	struct spinlock wlock;
	atomic_uint seq;
	atomic_ulong sec;
	atomic_ulong nsec;	/* always 3 * sec + 1 */
};

static struct seqclock clk = {.wlock = {ATOMIC_FLAG_INIT}, .nsec = 1};
static unsigned long nr_set;	/* under wlock */

static void spin_lock(struct spinlock *l)
{
	while (atomic_flag_test_and_set_explicit(&l->locked, memory_order_acquire))
		;
}

static void spin_unlock(struct spinlock *l)
{
	atomic_flag_clear_explicit(&l->locked, memory_order_release);
}

static void clock_advance(struct seqclock *c, unsigned long delta)
{
	unsigned int seq;
	unsigned long sec;

	spin_lock(&c->wlock);
	seq = atomic_load_explicit(&c->seq, memory_order_relaxed);
	atomic_store_explicit(&c->seq, seq + 1, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);

	sec = atomic_load_explicit(&c->sec, memory_order_relaxed) + delta;
	atomic_store_explicit(&c->sec, sec, memory_order_relaxed);
	atomic_store_explicit(&c->nsec, 3 * sec + 1, memory_order_relaxed);

	atomic_store_explicit(&c->seq, seq + 2, memory_order_release);
	nr_set++;
	spin_unlock(&c->wlock);
}

static void clock_read(struct seqclock *c, unsigned long *sec, unsigned long *nsec)
{
	unsigned int begin, end;

	do {
		begin = atomic_load_explicit(&c->seq, memory_order_acquire);
		*sec = atomic_load_explicit(&c->sec, memory_order_relaxed);
		*nsec = atomic_load_explicit(&c->nsec, memory_order_relaxed);
		atomic_thread_fence(memory_order_acquire);
		end = atomic_load_explicit(&c->seq, memory_order_relaxed);
	} while ((begin & 1) || begin != end);
}

static void *writer(void *data)
{
	unsigned long delta = *(unsigned long *)data;
	int i;

	for (i = 0; i < NR_WRITES; i++)
		clock_advance(&clk, delta);
	return NULL;
}

static void *reader(void *data)
{
	unsigned long sec, nsec, last = 0, *torn = data;
	int i;

	for (i = 0; i < NR_READS; i++) {
		clock_read(&clk, &sec, &nsec);
		if (nsec != 3 * sec + 1 || sec < last)
			++*torn;
		last = sec;
	}
	return NULL;
}

int main(void)
{
	pthread_t tasks[NR_WRITERS + NR_READERS];
	unsigned long arg[NR_WRITERS + NR_READERS], torn = 0, sec, nsec;
	int i;

	for (i = 0; i < NR_WRITERS + NR_READERS; i++) {
		arg[i] = i < NR_WRITERS ? (unsigned long)i + 1 : 0;
		if (pthread_create(&tasks[i], NULL, i < NR_WRITERS ? writer : reader, &arg[i]))
			return 2;
	}
	for (i = 0; i < NR_WRITERS + NR_READERS; i++) {
		pthread_join(tasks[i], NULL);
		if (i >= NR_WRITERS)
			torn += arg[i];
	}
	clock_read(&clk, &sec, &nsec);
	printf("%lu.%lu after %lu writes, %lu torn\n", sec, nsec, nr_set, torn);
	return torn != 0;
}
