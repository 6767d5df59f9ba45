/* SPDX-License-Identifier: MIT */
/* resize_stale_slot.c - a slot is taken under the lock and written after it, and the array grows.
 *
 * Mechanism: another's append moves the array between the two; the write goes to what was freed. As
 * a rule the writer has committed its slot, under the lock, before the next append.
 */
#include "races/case.h"

#include <string.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int *values;
static int capacity, count, committed;
static char input[4 << 20];

static int *slot_new(void) {
    if (count == capacity) {
        int *grown = realloc(values, sizeof *values * (size_t)(capacity + 1)); /* FAULT a */
        if (grown == NULL)
            abort();
        values = grown;
        capacity++;
    }
    return &values[count++];
}

static void append(int value) {
    pthread_mutex_lock(&mutex);
    int *slot = slot_new();
#if BUG
    pthread_mutex_unlock(&mutex);
    *slot = value; /* FAULT b */
    pthread_mutex_lock(&mutex);
#else
    *slot = value;
#endif
    committed++;
    pthread_mutex_unlock(&mutex);
}

static void *append_header(void *unused) {
    append(1);
    return unused;
}

static void *append_input(void *unused) {
    memset(input, 2, sizeof input);
    append(input[0]);
    return unused;
}

int main(void) {
    pthread_t header, body;
    pthread_create(&header, NULL, append_header, NULL);
    pthread_create(&body, NULL, append_input, NULL);
    pthread_join(header, NULL);
    pthread_join(body, NULL);
    oracle(committed == 2 && values[0] + values[1] == 3, "a value was lost");
    free(values);
    return 0;
}
