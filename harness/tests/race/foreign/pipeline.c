/* SPDX-License-Identifier: MIT */
/* pipeline - three stages.  The first pipe carries lines by value; the second one pointers, which
   belong to whoever has read them, and beside it a semaphore, as pipes promise nothing about
   memory.  Main polls a flag for the end.

   expect: none  */

#define _XOPEN_SOURCE 700
#define _DEFAULT_SOURCE
#include <ctype.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINES 30
#define LENGTH 32

static int raw[2];    /* Lines, each LENGTH bytes.  */
static int cooked[2]; /* Pointers to lines.  */
static sem_t cooked_full;
static atomic_bool finished;
static unsigned long checksum; /* Written by the last stage, read after the join.  */

/* Both are at most PIPE_BUF bytes: a write is all or nothing.  */
static void
send_all (int fd, const void *p, size_t size)
{
  ssize_t n;

  do
    n = write (fd, p, size);
  while (n < 0 && errno == EINTR);
  if (n != (ssize_t) size)
    abort ();
}

/* Return 1, or 0 at the end of the file.  */
static int
receive_all (int fd, void *p, size_t size)
{
  size_t got = 0;

  while (got < size)
    {
      ssize_t n = read (fd, (char *) p + got, size - got);
      if (n > 0)
        got += (size_t) n;
      else if (n == 0)
        return 0;
      else if (errno != EINTR)
        abort ();
    }
  return 1;
}

static void *
generate (void *unused)
{
  for (int i = 0; i < LINES; i++)
    {
      char line[LENGTH] = "";
      snprintf (line, sizeof line, "line %d of the %s", i, i % 3 ? "first" : "second");
      send_all (raw[1], line, sizeof line);
    }
  close (raw[1]);
  return unused;
}

/* Hand LINE to the last stage, NULL for the end.  */
static void
pass_on (char *line)
{
  send_all (cooked[1], &line, sizeof line);
  if (sem_post (&cooked_full) != 0)
    abort ();
}

static void *
to_upper (void *unused)
{
  char line[LENGTH];

  while (receive_all (raw[0], line, sizeof line))
    {
      char *copy = malloc (strlen (line) + 1);
      if (copy == NULL)
        abort ();
      char *p = copy;
      for (const char *q = line; (*p = (char) toupper ((unsigned char) *q)) != '\0'; q++)
        p++;
      pass_on (copy);
    }
  pass_on (NULL);
  return unused;
}

static void *
add_up (void *unused)
{
  char *line;

  for (;;)
    {
      while (sem_wait (&cooked_full) != 0)
        if (errno != EINTR)
          abort ();
      if (!receive_all (cooked[0], &line, sizeof line) || line == NULL)
        break;
      for (const char *p = line; *p != '\0'; p++)
        checksum = (checksum * 33 + (unsigned char) *p) & 0xFFFFFFFFul;
      free (line);
    }
  atomic_store (&finished, 1);
  return unused;
}

int
main (void)
{
  static void *(*const stages[3]) (void *) = { generate, to_upper, add_up };
  pthread_t threads[3];

  if (sem_init (&cooked_full, 0, 0) != 0 || pipe (raw) != 0 || pipe (cooked) != 0)
    return 2;
  for (int i = 0; i < 3; i++)
    if (pthread_create (&threads[i], NULL, stages[i], NULL) != 0)
      return 2;
  while (!atomic_load (&finished))
    usleep (200);
  for (int i = 0; i < 3; i++)
    pthread_join (threads[i], NULL);
  close (raw[0]);
  close (cooked[0]);
  close (cooked[1]);
  sem_destroy (&cooked_full);
  printf ("checksum %08lx\n", checksum);
  return 0;
}
