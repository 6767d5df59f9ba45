/* SPDX-License-Identifier: MIT */
/* heap_overflow_neighbour.c - each thread closes one sample more than it has, in the next one's.
 *
 * Mechanism: <= for <. What lies behind the last sample is often the block of the other thread, who
 * writes there as well.
 */
#include "races/case.h"

#define SAMPLES 32

struct sample {
    long number, values[8];
    long closed; /* beyond what an allocator keeps between two blocks */
};

static void *measure(void *data) {
    struct sample *samples = data;
    for (int i = 0; i < SAMPLES; i++)
        samples[i] = (struct sample){.values = {i}}; /* RACE a */
#if BUG
    for (int i = 0; i <= SAMPLES; i++) {
#else
    for (int i = 0; i < SAMPLES; i++) {
#endif
        samples[i].number = i; /* RACE b */
        samples[i].closed = 1; /* RACE c */
    }
    return NULL;
}

int main(void) {
    pthread_t threads[2];
    struct sample *samples[2];
    for (int i = 0; i < 2; i++)
        if (!(samples[i] = malloc(SAMPLES * sizeof *samples[i])))
            abort();
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, measure, samples[i]);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 8; j++)
            oracle(samples[i][0].values[j] == 0, "a sample has changed");
    free(samples[0]);
    free(samples[1]);
    return 0;
}
