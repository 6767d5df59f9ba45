/* SPDX-License-Identifier: MIT */
/* crc - checksum blocks in several threads, with a table made when it is first needed.

   expect: data-race 41,50,54,65  */

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum
{
  TABLE_SIZE = 256,
  THREADS = 3,
  BLOCK = 64
};

/* Made by the first caller of crc32_update; freed by main.  */
static uint32_t *crc_table;
static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;

struct block
{
  unsigned char bytes[BLOCK];
  uint32_t crc;
};

static uint32_t *
make_table (void)
{
  uint32_t *t = malloc (TABLE_SIZE * sizeof *t);

  if (t == NULL)
    abort ();
  for (uint32_t n = 0; n < TABLE_SIZE; n++)
    {
      uint32_t c = n;
      for (int k = 0; k < 8; k++)
        c = (c & 1) ? 0xEDB88320u ^ (c >> 1) : c >> 1;
      t[n] = c;
    }
  return t;
}

/* Make the table if need be.  The lock is expensive, so look before taking it.  */
static void
ensure_table (void)
{
  if (crc_table == NULL)
    {
      pthread_mutex_lock (&table_lock);
      if (crc_table == NULL)
        crc_table = make_table ();
      pthread_mutex_unlock (&table_lock);
    }
}

static uint32_t
crc32_update (uint32_t crc, const unsigned char *p, size_t n)
{
  ensure_table ();
  crc = ~crc;
  while (n-- > 0)
    crc = crc_table[(crc ^ *p++) & 0xFF] ^ (crc >> 8);
  return ~crc;
}

static void *
checksum_block (void *closure)
{
  struct block *b = closure;

  b->crc = crc32_update (0, b->bytes, sizeof b->bytes);
  return NULL;
}

int
main (void)
{
  static struct block blocks[THREADS];
  pthread_t threads[THREADS];
  uint32_t all = 0;

  for (int i = 0; i < THREADS; i++)
    {
      memset (blocks[i].bytes, 'a' + i, sizeof blocks[i].bytes);
      if (pthread_create (&threads[i], NULL, checksum_block, &blocks[i]) != 0)
        {
          fputs ("crc: cannot create a thread\n", stderr);
          return EXIT_FAILURE;
        }
    }
  for (int i = 0; i < THREADS; i++)
    {
      pthread_join (threads[i], NULL);
      all ^= blocks[i].crc;
    }
  free (crc_table);
  printf ("%08x\n", (unsigned) all);
  return EXIT_SUCCESS;
}
