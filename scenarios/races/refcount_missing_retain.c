/* SPDX-License-Identifier: MIT */
/* refcount_missing_retain.c - a buffer is handed to two threads without counting them as holders.
 *
 * Mechanism: all three give back a reference and there was one: who gives it back first frees what
 * the others still read.
 */
#include "races/case.h"

#include <stdatomic.h>
#include <string.h>

#define READERS 2

struct buffer {
    char text[64];
    _Atomic int holders;
};

static struct buffer *buffer_new(const char *text) {
    struct buffer *buffer = calloc(1, sizeof *buffer);
    if (!buffer)
        abort();
    atomic_init(&buffer->holders, 1);
    strncpy(buffer->text, text, sizeof buffer->text - 1);
    return buffer;
}

static void buffer_release(struct buffer *buffer) {
    /* acq_rel: pairs with itself on the other holders: their uses come before the free */
    if (atomic_fetch_sub_explicit(&buffer->holders, 1, memory_order_acq_rel) == 1) /* FAULT a */
        free(buffer);                                                              /* FAULT b */
}

static void *read_text(void *data) {
    struct buffer *buffer = data;
    size_t length = 0;
    while (buffer->text[length]) /* FAULT c */
        length++;
    buffer_release(buffer);
    return NULL;
}

int main(void) {
    pthread_t readers[READERS];
    struct buffer *buffer = buffer_new("as long as somebody holds it");
    for (int i = 0; i < READERS; i++) {
#if !BUG
        atomic_fetch_add_explicit(&buffer->holders, 1, memory_order_relaxed);
#endif
        pthread_create(&readers[i], NULL, read_text, buffer);
    }
    buffer_release(buffer);
    for (int i = 0; i < READERS; i++)
        pthread_join(readers[i], NULL);
    return 0;
}
