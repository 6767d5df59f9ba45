/* SPDX-License-Identifier: MIT */
/* merge_sort: sorts the halves at the same time, the left one in a thread of its own.
 *
 * expect: data-race 25,33,34,35,36,44,45,47,49,51,52,62,68,69,70
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT 96
#define SMALL 16	/* so few are sorted by insertion */
#define DEPTH 2		/* threads are started so many levels deep */

struct part {
	int *a;
	int *scratch;
	int n;
	int depth;
};

static void sort(struct part *p);

static void *sort_in_thread(void *arg) {
	sort(arg);
	return NULL;
}

static void insertion_sort(int *a, int n) {
	int i, j, v;

	for (i = 1; i < n; i++) {
		v = a[i];
		for (j = i; j > 0 && a[j - 1] > v; j--)
			a[j] = a[j - 1];
		a[j] = v;
	}
}

static void merge(struct part *p, int middle) {
	int i = 0, j = middle, k = 0;

	while (i < middle && j < p->n)
		if (p->a[i] <= p->a[j])
			p->scratch[k++] = p->a[i++];
		else
			p->scratch[k++] = p->a[j++];
	while (i < middle)
		p->scratch[k++] = p->a[i++];
	while (j < p->n)
		p->scratch[k++] = p->a[j++];
	memcpy(p->a, p->scratch, (size_t)p->n * sizeof *p->a);
}

static void sort(struct part *p) {
	int middle = p->n / 2, threaded = p->depth > 0;
	struct part left = {p->a, p->scratch, middle, p->depth - 1};
	struct part right = {p->a + middle, p->scratch + middle, p->n - middle, p->depth - 1};
	pthread_t helper;

	if (p->n <= SMALL) {
		insertion_sort(p->a, p->n);
		return;
	}
	if (threaded)
		threaded = pthread_create(&helper, NULL, sort_in_thread, &left) == 0;
	if (!threaded)
		sort(&left);
	sort(&right);
	merge(p, middle);
	if (threaded)
		pthread_join(helper, NULL);
}

int main(void) {
	int *a = malloc(COUNT * sizeof *a), *scratch = malloc(COUNT * sizeof *scratch);
	struct part all = {a, scratch, COUNT, DEPTH};
	int i, wrong = 0;
	unsigned x = 12345;

	if (a == NULL || scratch == NULL)
		return 2;
	for (i = 0; i < COUNT; i++) {
		x = x * 1664525u + 1013904223u;
		a[i] = (int)(x >> 20);
	}
	sort(&all);
	for (i = 1; i < COUNT; i++)
		wrong += a[i - 1] > a[i];
	printf("%d out of order\n", wrong);
	free(a);
	free(scratch);
	return 0;
}
