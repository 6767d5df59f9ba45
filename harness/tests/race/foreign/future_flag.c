/* SPDX-License-Identifier: MIT */
///////////////////////////////////////////////////////////////////////////////
// future_flag.c: Promise and Future, as in C++ but by hand.
//
// The flag is atomic, so that Future_Get() need not lock when the value is there already.
//
// expect: hang 46,51,53
///////////////////////////////////////////////////////////////////////////////
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static const int kFutures = 3;

typedef struct Future_ {
  pthread_mutex_t m_mutex;
  pthread_cond_t m_condition;
  atomic_bool m_isReady;
  long m_value;
} Future;

static Future* Future_New(void) {
  Future* self = (Future*)malloc(sizeof(Future));
  if (self == NULL) {
    abort();
  }
  pthread_mutex_init(&self->m_mutex, NULL);
  pthread_cond_init(&self->m_condition, NULL);
  atomic_init(&self->m_isReady, false);
  self->m_value = 0;
  return self;
}

static void Future_Delete(Future* self) {
  pthread_cond_destroy(&self->m_condition);
  pthread_mutex_destroy(&self->m_mutex);
  free(self);
}

// Promise side: at most once.
static void Future_Set(Future* self, long value) {
  self->m_value = value;
  atomic_store_explicit(&self->m_isReady, true, memory_order_release);
  pthread_cond_broadcast(&self->m_condition);
}

// Blocks until the value is there.
static long Future_Get(Future* self) {
  while (!atomic_load_explicit(&self->m_isReady, memory_order_acquire)) {
    pthread_mutex_lock(&self->m_mutex);
    pthread_cond_wait(&self->m_condition, &self->m_mutex);
    pthread_mutex_unlock(&self->m_mutex);
  }
  return self->m_value;
}

typedef struct Worker_ {
  Future** m_futures;
  pthread_t m_thread;
} Worker;

static long Fibonacci(int n) {
  long a = 0;
  long b = 1;
  for (int i = 0; i < n; ++i) {
    long next = a + b;
    a = b;
    b = next;
  }
  return a;
}

static void* Worker_Run(void* argument) {
  Worker* self = (Worker*)argument;
  for (int i = 0; i < kFutures; ++i) {
    Future_Set(self->m_futures[i], Fibonacci(20 + i));
  }
  return NULL;
}

int main(void) {
  Future* futures[8];
  Worker worker;
  long sum = 0;

  for (int i = 0; i < kFutures; ++i) {
    futures[i] = Future_New();
  }
  worker.m_futures = futures;
  if (pthread_create(&worker.m_thread, NULL, Worker_Run, &worker) != 0) {
    return 2;
  }
  for (int i = 0; i < kFutures; ++i) {
    sum += Future_Get(futures[i]);
  }
  pthread_join(worker.m_thread, NULL);
  for (int i = 0; i < kFutures; ++i) {
    Future_Delete(futures[i]);
  }
  printf("sum %ld\n", sum);
  return 0;
}
