// SPDX-License-Identifier: MIT
/*
 * rw_cache.c - a hash table of results under a rwlock, filled on demand
 *
 * Readers look first with the lock shared. Whoever misses computes without the lock and looks
 * again with the lock held for writing, as another may have been quicker.
 *
 * expect: none
 */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define HASH_BITS	3
#define HASH_SIZE	(1u << HASH_BITS)
#define NR_KEYS		24u
#define NR_READERS	4
#define NR_LOOKUPS	60u

struct entry {
	struct entry *next;
	unsigned int key;
	unsigned int value;
};

struct cache {
	pthread_rwlock_t lock;
	struct entry *buckets[HASH_SIZE];
	unsigned int nr_entries;
};

struct reader {
	pthread_t task;
	struct cache *cache;
	unsigned int seed;
	unsigned long sum;
	int err;
};

static unsigned int expensive(unsigned int key)
{
	unsigned int i, x = key + 1;

	for (i = 0; i < 200; i++)
		x = x * 2654435761u + i;
	return x & 0xffff;
}

/* caller holds the lock, shared or not */
static struct entry *__find(struct cache *c, unsigned int key)
{
	struct entry *e;

	for (e = c->buckets[key & (HASH_SIZE - 1)]; e; e = e->next)
		if (e->key == key)
			return e;
	return NULL;
}

static int cache_get(struct cache *c, unsigned int key, unsigned int *value)
{
	struct entry *e, *fresh;

	pthread_rwlock_rdlock(&c->lock);
	e = __find(c, key);
	if (e)
		*value = e->value;
	pthread_rwlock_unlock(&c->lock);
	if (e)
		return 0;

	fresh = malloc(sizeof(*fresh));
	if (!fresh)
		return -ENOMEM;
	fresh->key = key;
	fresh->value = *value = expensive(key);

	pthread_rwlock_wrlock(&c->lock);
	if (!__find(c, key)) {
		fresh->next = c->buckets[key & (HASH_SIZE - 1)];
		c->buckets[key & (HASH_SIZE - 1)] = fresh;
		c->nr_entries++;
		fresh = NULL;
	}
	pthread_rwlock_unlock(&c->lock);
	free(fresh);
	return 0;
}

static void *reader_fn(void *data)
{
	struct reader *r = data;
	unsigned int i, value;

	for (i = 0; i < NR_LOOKUPS && !r->err; i++) {
		r->err = cache_get(r->cache, (i * 5 + r->seed) % NR_KEYS, &value);
		if (!r->err)
			r->sum += value;
	}
	return NULL;
}

static void cache_free(struct cache *c)
{
	struct entry *e;
	unsigned int i;

	for (i = 0; i < HASH_SIZE; i++)
		while ((e = c->buckets[i])) {
			c->buckets[i] = e->next;
			free(e);
		}
	pthread_rwlock_destroy(&c->lock);
}

int main(void)
{
	struct reader readers[NR_READERS] = {0};
	struct cache cache = {.nr_entries = 0};
	unsigned long sum = 0;
	int i, err = 0;

	if (pthread_rwlock_init(&cache.lock, NULL))
		return 2;
	for (i = 0; i < NR_READERS; i++) {
		readers[i].cache = &cache;
		readers[i].seed = (unsigned int)i * 3;
		if (pthread_create(&readers[i].task, NULL, reader_fn, &readers[i]))
			return 2;
	}
	for (i = 0; i < NR_READERS; i++) {
		pthread_join(readers[i].task, NULL);
		sum += readers[i].sum;
		err |= readers[i].err;
	}
	printf("sum %lu, %u entries\n", sum, cache.nr_entries);
	cache_free(&cache);
	return err ? 1 : 0;
}
