/* SPDX-License-Identifier: MIT */
/* refcount_relaxed_drop.c - the last of two readers frees a buffer; the count is atomic, relaxed.
 *
 * Mechanism: a relaxed decrement counts right but orders nothing: the other reader's last use of
 * the buffer may still be under way when this one frees it. On x86 the wrong and the right program
 * are the same instructions; only a tool that knows the orders can tell.
 */
#include "races/case.h"

#include <stdatomic.h>

#define READERS 2
#define BUFFERS 100

#if BUG
#define DROP_ORDER memory_order_relaxed
#else
#define DROP_ORDER memory_order_acq_rel
#endif

struct buffer {
    atomic_int references;
    int uses[READERS];
};

static struct buffer *buffers[BUFFERS];

static void drop(struct buffer *buffer) {
    /* Acquire and release (in the right program): pairs with the other reader's drop. */
    int before = atomic_fetch_sub_explicit(&buffer->references, 1, DROP_ORDER); /* RACE c */
    if (before == 1)
        free(buffer); /* RACE a */
}

static void *use_buffers(void *argument) {
    int reader = *(int *)argument;
    for (int i = 0; i < BUFFERS; i++) {
        buffers[i]->uses[reader]++; /* RACE b */
        drop(buffers[i]);
    }
    return NULL;
}

int main(void) {
    for (int i = 0; i < BUFFERS; i++) {
        buffers[i] = calloc(1, sizeof(struct buffer));
        if (buffers[i] == NULL)
            abort();
        atomic_init(&buffers[i]->references, READERS);
    }
    pthread_t threads[READERS];
    int numbers[READERS] = {0, 1};
    for (int i = 0; i < READERS; i++)
        pthread_create(&threads[i], NULL, use_buffers, &numbers[i]);
    for (int i = 0; i < READERS; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
