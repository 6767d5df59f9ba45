/* SPDX-License-Identifier: MIT */
/* matpow - raise a matrix to a power, a band of rows per thread, with two buffers whose roles
   are exchanged at a barrier after every step.

   expect: none  */

#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum
{
  N = 10,
  THREADS = 3,
  POWER = 7
};

typedef uint32_t matrix[N][N];

static matrix base;
static matrix buffers[2];
static pthread_barrier_t step_done;

/* How many threads were the serial one of a step; each step has exactly one.  */
static int serial_steps;

struct band
{
  int first;
  int end;
};

/* Compute rows [B->first, B->end) of TO = FROM * base.  */
static void
multiply_band (matrix to, matrix from, const struct band *b)
{
  for (int i = b->first; i < b->end; i++)
    for (int j = 0; j < N; j++)
      {
        uint32_t sum = 0;
        for (int k = 0; k < N; k++)
          sum += from[i][k] * base[k][j];
        to[i][j] = sum;
      }
}

static void *
power (void *closure)
{
  const struct band *b = closure;

  for (int step = 1; step < POWER; step++)
    {
      multiply_band (buffers[step & 1], buffers[(step & 1) ^ 1], b);
      int status = pthread_barrier_wait (&step_done);
      if (status == PTHREAD_BARRIER_SERIAL_THREAD)
        serial_steps++; /* Between two barriers, so nobody else is here.  */
      else if (status != 0)
        abort ();
      /* That the next step's serial thread comes after this one.  */
      pthread_barrier_wait (&step_done);
    }
  return NULL;
}

static uint32_t
trace_of (matrix m)
{
  uint32_t t = 0;
  for (int i = 0; i < N; i++)
    t += m[i][i] * (uint32_t) (i + 1);
  return t;
}

int
main (void)
{
  pthread_t threads[THREADS];
  struct band bands[THREADS];

  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++)
      buffers[0][i][j] = base[i][j] = (uint32_t) (i * 31 + j * 17 + 1) % 101;
  if (pthread_barrier_init (&step_done, NULL, THREADS) != 0)
    {
      fputs ("matpow: no barrier\n", stderr);
      return EXIT_FAILURE;
    }
  for (int i = 0; i < THREADS; i++)
    {
      bands[i].first = i * N / THREADS;
      bands[i].end = (i + 1) * N / THREADS;
      if (pthread_create (&threads[i], NULL, power, &bands[i]) != 0)
        abort ();
    }
  for (int i = 0; i < THREADS; i++)
    pthread_join (threads[i], NULL);
  pthread_barrier_destroy (&step_done);
  printf ("trace %lu after %d steps\n", (unsigned long) trace_of (buffers[(POWER - 1) & 1]),
          serial_steps);
  return serial_steps == POWER - 1 ? EXIT_SUCCESS : EXIT_FAILURE;
}
