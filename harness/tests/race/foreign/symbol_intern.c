/* SPDX-License-Identifier: MIT */
/* symbols - a table of interned names under a reader-writer lock.

   Names are mostly there already, which is why intern begins as a reader.

   expect: abort 48,49,50,58,59,88  */

#define _POSIX_C_SOURCE 200809L
#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct symbol
{
  struct symbol *next;
  int number;
  char name[16];
};

static struct symbol *symbols;
static int symbol_count;
static pthread_rwlock_t symbols_lock = PTHREAD_RWLOCK_INITIALIZER;

static const char *const words[] = { "let", "rec", "in", "fun", "match", "with" };
#define WORDS (sizeof words / sizeof *words)
#define PARSERS 2

/* Return the symbol called NAME or NULL.  The lock is held.  */
static struct symbol *
lookup (const char *name)
{
  struct symbol *s;

  for (s = symbols; s != NULL; s = s->next)
    if (strcmp (s->name, name) == 0)
      break;
  return s;
}

/* Return the number of the symbol called NAME, which is new or not.  */
static int
intern (const char *name)
{
  struct symbol *s;

  pthread_rwlock_rdlock (&symbols_lock);
  s = lookup (name);
  pthread_rwlock_unlock (&symbols_lock);
  if (s != NULL)
    return s->number;

  s = calloc (1, sizeof *s);
  if (s == NULL)
    exit (EXIT_FAILURE);
  strncpy (s->name, name, sizeof s->name - 1);
  pthread_rwlock_wrlock (&symbols_lock);
  s->number = symbol_count++;
  s->next = symbols;
  symbols = s;
  pthread_rwlock_unlock (&symbols_lock);
  return s->number;
}

static void *
parse (void *numbers)
{
  for (size_t i = 0; i < WORDS; i++)
    ((int *) numbers)[i] = intern (words[i]);
  return NULL;
}

int
main (void)
{
  pthread_t parsers[PARSERS];
  int numbers[PARSERS][WORDS];

  for (int i = 0; i < PARSERS; i++)
    if (pthread_create (&parsers[i], NULL, parse, numbers[i]) != 0)
      return EXIT_FAILURE;
  for (int i = 0; i < PARSERS; i++)
    pthread_join (parsers[i], NULL);

  /* The same name is the same symbol, whoever asks.  */
  for (size_t i = 0; i < WORDS; i++)
    assert (numbers[0][i] == numbers[1][i]);
  printf ("%d symbols\n", symbol_count);
  while (symbols != NULL)
    {
      struct symbol *next = symbols->next;
      free (symbols);
      symbols = next;
    }
  pthread_rwlock_destroy (&symbols_lock);
  return EXIT_SUCCESS;
}
