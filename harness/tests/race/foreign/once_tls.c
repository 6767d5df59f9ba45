/* SPDX-License-Identifier: MIT */
/* once_tls.c: connections served by detached threads.
 *
 * Each thread has a context behind a key, made when first needed; its destructor is the last
 * to run of a thread, and the place where threads are counted.
 *
 * expect: none
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONNECTIONS 5
#define REQUESTS 12

typedef struct context_s {
	char *scratch;
	long served;
	unsigned long hash;
} context_t;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t context_key;
static int *primes; /* made once */
enum { NPRIMES = 16 };

static _Thread_local int depth;

static pthread_mutex_t live_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t live_zero = PTHREAD_COND_INITIALIZER;
static int live;
static long served;
static unsigned long hash;

static void
context_destroy(void *arg)
{
	context_t *ctx = arg;
	long ctx_served = ctx->served;
	unsigned long ctx_hash = ctx->hash;

	free(ctx->scratch);
	free(ctx);
	pthread_mutex_lock(&live_lock);
	served += ctx_served;
	hash ^= ctx_hash;
	if (--live == 0)
		pthread_cond_signal(&live_zero);
	pthread_mutex_unlock(&live_lock);
}

static void
init(void)
{
	int n = 0;

	if (pthread_key_create(&context_key, context_destroy) != 0)
		abort();
	if ((primes = malloc(NPRIMES * sizeof *primes)) == NULL)
		abort();
	for (int i = 2; n < NPRIMES; i++) {
		int d = 2;
		while (i % d != 0)
			d++;
		if (d == i)
			primes[n++] = i;
	}
}

static context_t *
context(void)
{
	context_t *ctx;

	pthread_once(&once, init);
	if ((ctx = pthread_getspecific(context_key)) != NULL)
		return ctx;
	if ((ctx = calloc(1, sizeof *ctx)) == NULL || (ctx->scratch = malloc(64)) == NULL)
		abort();
	if (pthread_setspecific(context_key, ctx) != 0)
		abort();
	return ctx;
}

static void
serve(int connection, int request)
{
	context_t *ctx = context();

	depth++;
	snprintf(ctx->scratch, 64, "GET /%d/%d depth %d", connection, request, depth);
	for (const char *p = ctx->scratch; *p != '\0'; p++)
		ctx->hash = (ctx->hash * (unsigned long)primes[request % NPRIMES] +
		    (unsigned char)*p) & 0xfffffffful;
	ctx->served++;
}

static void *
connection_main(void *arg)
{
	int connection = *(int *)arg;

	free(arg);
	for (int i = 0; i < REQUESTS; i++)
		serve(connection, i);
	return NULL;
}

int
main(void)
{
	pthread_attr_t detached;
	pthread_t thread;

	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	live = CONNECTIONS; /* nobody else yet */
	for (int i = 0; i < CONNECTIONS; i++) {
		int *number = malloc(sizeof *number);

		if (number == NULL)
			abort();
		*number = i;
		if (pthread_create(&thread, &detached, connection_main, number) != 0)
			abort();
	}
	pthread_attr_destroy(&detached);
	pthread_mutex_lock(&live_lock);
	while (live > 0)
		pthread_cond_wait(&live_zero, &live_lock);
	printf("served %ld, hash %08lx\n", served, hash);
	pthread_mutex_unlock(&live_lock);
	free(primes);
	return 0;
}
