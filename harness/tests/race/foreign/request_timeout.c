// SPDX-License-Identifier: MIT
/*
 * request_timeout.c - clients hand requests to a server thread and give up when it is too slow
 *
 * expect: heap-use-after-free 59,62,65,66,103
 * expect: data-race 59,62,65,66,103
 */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define NR_REQUESTS	4
#define TIMEOUT_NS	(20 * 1000 * 1000L)

struct request {
	struct request *next;
	int arg;
	int result;
	bool done;
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t more;
	pthread_cond_t reply;
	struct request *queue;
	bool stop;
} srv = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.more = PTHREAD_COND_INITIALIZER,
	.reply = PTHREAD_COND_INITIALIZER,
};

static int square_root(int x)
{
	int r = 0;

	while ((r + 1) * (r + 1) <= x)
		r++;
	return r;
}

static void *server(void *unused)
{
	struct request *req;
	int root;

	pthread_mutex_lock(&srv.lock);
	for (;;) {
		while (!srv.queue && !srv.stop)
			pthread_cond_wait(&srv.more, &srv.lock);
		req = srv.queue;
		if (!req)
			break;
		srv.queue = req->next;
		pthread_mutex_unlock(&srv.lock);

		root = square_root(req->arg);

		pthread_mutex_lock(&srv.lock);
		req->result = root;
		req->done = true;
		pthread_cond_broadcast(&srv.reply);
	}
	pthread_mutex_unlock(&srv.lock);
	return unused;
}

static struct timespec deadline_after(long ns)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_nsec += ns;
	ts.tv_sec += ts.tv_nsec / 1000000000L;
	ts.tv_nsec %= 1000000000L;
	return ts;
}

static int call_server(int arg)
{
	struct timespec deadline = deadline_after(TIMEOUT_NS);
	struct request *req = calloc(1, sizeof(*req));
	int ret = 0;

	if (!req)
		return -ENOMEM;
	req->arg = arg;

	pthread_mutex_lock(&srv.lock);
	req->next = srv.queue;
	srv.queue = req;
	pthread_cond_signal(&srv.more);
	while (!req->done && ret != ETIMEDOUT)
		ret = pthread_cond_timedwait(&srv.reply, &srv.lock, &deadline);
	ret = req->done ? req->result : -ETIMEDOUT;
	pthread_mutex_unlock(&srv.lock);

	free(req);
	return ret;
}

int main(void)
{
	pthread_t thread;
	int i, ret, sum = 0, late = 0;

	if (pthread_create(&thread, NULL, server, NULL))
		return 2;
	for (i = 0; i < NR_REQUESTS; i++) {
		ret = call_server(1000 * (i + 1));
		if (ret < 0)
			late++;
		else
			sum += ret;
	}
	pthread_mutex_lock(&srv.lock);
	srv.stop = true;
	pthread_cond_signal(&srv.more);
	pthread_mutex_unlock(&srv.lock);
	pthread_join(thread, NULL);
	printf("sum %d, %d late\n", sum, late);
	return 0;
}
