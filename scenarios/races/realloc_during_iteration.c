/* SPDX-License-Identifier: MIT */
/* realloc_during_iteration.c - a list is walked without its lock while it grows.
 *
 * Mechanism: growing moves the list. Who walks it by a pointer into the old place goes on in memory
 * that is free.
 */
#include "races/case.h"

#define VALUES 3000
#define STEP 4
#define WALKS 300

static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static struct {
    int *values;
    size_t count, capacity;
} list;

static void append(int value) {
    pthread_mutex_lock(&guard);
    if (list.count == list.capacity) {
        size_t bytes = (list.capacity + STEP) * sizeof *list.values;
        list.values = realloc(list.values, bytes); /* RACE a */
        if (!list.values)
            abort();
        list.capacity += STEP;
    }
    list.values[list.count] = value; /* RACE b */
    list.count++;                    /* RACE c */
    pthread_mutex_unlock(&guard);
}

static void *fill(void *unused) {
    for (int i = 0; i < VALUES; i++)
        append(1);
    return unused;
}

static long sum(void) {
    long total = 0;
    const int *value = list.values;           /* RACE d */
    for (size_t i = list.count; i > 0; i--) { /* RACE e */
        total += *value;                      /* RACE f */
        value++;
    }
    return total;
}

static void *walk(void *unused) {
    for (int i = 0; i < WALKS; i++) {
#if !BUG
        pthread_mutex_lock(&guard);
#endif
        long total = sum();
#if !BUG
        pthread_mutex_unlock(&guard);
#endif
        oracle(total >= VALUES && total <= 2 * VALUES, "the sum is none that the list ever had");
    }
    return unused;
}

int main(void) {
    pthread_t walker, filler;
    fill(NULL);
    pthread_create(&walker, NULL, walk, NULL);
    pthread_create(&filler, NULL, fill, NULL);
    pthread_join(walker, NULL);
    pthread_join(filler, NULL);
    free(list.values);
    return 0;
}
