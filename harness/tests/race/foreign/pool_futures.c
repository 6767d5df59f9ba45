/* SPDX-License-Identifier: MIT */
///////////////////////////////////////////////////////////////////////////////
// pool_futures.c: ThreadPool_Submit() hands back a Future; classes by hand.
//
// A Future has two owners, the pool and the caller; the one to release it last deletes it.
//
// expect: none
///////////////////////////////////////////////////////////////////////////////
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

enum { kThreads = 3, kTasks = 20 };

typedef long (*Callable)(long);

typedef struct Future_ {
  struct Future_* m_next;  // in the pool's queue
  pthread_mutex_t m_mutex;
  pthread_cond_t m_ready;
  bool m_hasValue;
  long m_value;
  Callable m_callable;
  long m_argument;
  atomic_int m_owners;
} Future;

typedef struct ThreadPool_ {
  pthread_mutex_t m_mutex;
  pthread_cond_t m_notEmpty;
  Future* m_first;
  Future** m_last;
  bool m_stopping;
  pthread_t m_threads[kThreads];
} ThreadPool;

static void Future_Release(Future* self) {
  if (atomic_fetch_sub_explicit(&self->m_owners, 1, memory_order_acq_rel) == 1) {
    pthread_cond_destroy(&self->m_ready);
    pthread_mutex_destroy(&self->m_mutex);
    free(self);
  }
}

static void Future_Fulfil(Future* self) {
  long value = self->m_callable(self->m_argument);
  pthread_mutex_lock(&self->m_mutex);
  self->m_value = value;
  self->m_hasValue = true;
  pthread_mutex_unlock(&self->m_mutex);
  pthread_cond_signal(&self->m_ready);
}

static long Future_Get(Future* self) {
  pthread_mutex_lock(&self->m_mutex);
  while (!self->m_hasValue) {
    pthread_cond_wait(&self->m_ready, &self->m_mutex);
  }
  long value = self->m_value;
  pthread_mutex_unlock(&self->m_mutex);
  return value;
}

static void* ThreadPool_Run(void* argument) {
  ThreadPool* self = (ThreadPool*)argument;
  for (;;) {
    pthread_mutex_lock(&self->m_mutex);
    while (self->m_first == NULL && !self->m_stopping) {
      pthread_cond_wait(&self->m_notEmpty, &self->m_mutex);
    }
    Future* future = self->m_first;
    if (future != NULL && (self->m_first = future->m_next) == NULL) {
      self->m_last = &self->m_first;
    }
    pthread_mutex_unlock(&self->m_mutex);
    if (future == NULL) {
      return NULL;
    }
    Future_Fulfil(future);
    Future_Release(future);
  }
}

static Future* ThreadPool_Submit(ThreadPool* self, Callable callable, long argument) {
  Future* future = (Future*)calloc(1, sizeof(Future));
  if (future == NULL) {
    abort();
  }
  pthread_mutex_init(&future->m_mutex, NULL);
  pthread_cond_init(&future->m_ready, NULL);
  future->m_callable = callable;
  future->m_argument = argument;
  atomic_init(&future->m_owners, 2);
  pthread_mutex_lock(&self->m_mutex);
  *self->m_last = future;
  self->m_last = &future->m_next;
  pthread_cond_signal(&self->m_notEmpty);
  pthread_mutex_unlock(&self->m_mutex);
  return future;
}

static void ThreadPool_Stop(ThreadPool* self) {
  pthread_mutex_lock(&self->m_mutex);
  self->m_stopping = true;
  pthread_mutex_unlock(&self->m_mutex);
  pthread_cond_broadcast(&self->m_notEmpty);
  for (int i = 0; i < kThreads; ++i) {
    pthread_join(self->m_threads[i], NULL);
  }
}

static long SumOfDivisors(long n) {
  long sum = 0;
  for (long d = 1; d <= n; ++d) {
    sum += n % d == 0 ? d : 0;
  }
  return sum;
}

int main(void) {
  static ThreadPool pool = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL, NULL,
                            false, {0}};
  Future* futures[kTasks];
  long checksum = 0;
  pool.m_last = &pool.m_first;
  for (int i = 0; i < kThreads; ++i) {
    if (pthread_create(&pool.m_threads[i], NULL, ThreadPool_Run, &pool) != 0) {
      return 2;
    }
  }
  for (int i = 0; i < kTasks; ++i) {
    futures[i] = ThreadPool_Submit(&pool, SumOfDivisors, 100 + i);
  }
  for (int i = kTasks - 1; i >= 0; --i) {
    checksum = checksum * 7 % 1000003 + Future_Get(futures[i]);
    Future_Release(futures[i]);
  }
  ThreadPool_Stop(&pool);
  printf("checksum %ld\n", checksum);
  return 0;
}
