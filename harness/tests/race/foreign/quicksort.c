/* SPDX-License-Identifier: MIT */
/* quicksort: parallel to a certain depth; the smaller part goes to a new thread.
 *
 * expect: none
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define COUNT 400
#define DEPTH 3
#define FEW   8

struct range {
	unsigned *a;
	int n;
	int depth;
};

static void swap(unsigned *x, unsigned *y) {
	unsigned t = *x;

	*x = *y;
	*y = t;
}

static void insertion_sort(unsigned *a, int n) {
	int i, j;

	for (i = 1; i < n; i++)
		for (j = i; j > 0 && a[j - 1] > a[j]; j--)
			swap(&a[j - 1], &a[j]);
}

/* partition: everything before the index returned is below a[it], nothing after it is */
static int partition(unsigned *a, int n) {
	int i, last = 0;

	swap(&a[0], &a[n / 2]);
	for (i = 1; i < n; i++)
		if (a[i] < a[0])
			swap(&a[++last], &a[i]);
	swap(&a[0], &a[last]);
	return last;
}

static void sort(unsigned *a, int n, int depth);

static void *sort_range(void *arg) {
	struct range *r = arg;

	sort(r->a, r->n, r->depth);
	return NULL;
}

static void sort(unsigned *a, int n, int depth) {
	pthread_t helper;
	struct range small, large;
	int p;

	if (n <= FEW) {
		insertion_sort(a, n);
		return;
	}
	p = partition(a, n);
	small = (struct range){a, p, depth - 1};
	large = (struct range){a + p + 1, n - p - 1, depth - 1};
	if (small.n > large.n) {
		struct range t = small;
		small = large;
		large = t;
	}
	if (depth > 0 && pthread_create(&helper, NULL, sort_range, &small) == 0) {
		sort(large.a, large.n, large.depth);
		pthread_join(helper, NULL);
	} else {
		sort(small.a, small.n, small.depth);
		sort(large.a, large.n, large.depth);
	}
}

int main(void) {
	unsigned *a = malloc(COUNT * sizeof *a), x = 2463534242u, sum = 0;
	int i, wrong = 0;

	if (a == NULL)
		return 2;
	for (i = 0; i < COUNT; i++) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		a[i] = x % 1000;
	}
	sort(a, COUNT, DEPTH);
	for (i = 0; i < COUNT; i++) {
		wrong += i > 0 && a[i - 1] > a[i];
		sum = sum * 31 + a[i];
	}
	free(a);
	printf("checksum %u, %d out of order\n", sum, wrong);
	return wrong != 0;
}
