/* SPDX-License-Identifier: MIT */
/* uninit_read.c - options that were not given are never set, and read all the same.
 *
 * Mechanism: malloc leaves what was in the memory before. Whether the worker is verbose is chance.
 */
#include "races/case.h"

#include <string.h>

struct options {
    int jobs;
    int verbose;
};
static long printed;

static struct options *parse(int count, const char *const *words) {
    struct options *options = malloc(sizeof *options);
    if (!options)
        abort();
#if !BUG
    *options = (struct options){.jobs = 1};
#endif
    for (int i = 0; i < count; i++) {
        if (strcmp(words[i], "--jobs") == 0)
            options->jobs = 2;
        else if (strcmp(words[i], "--verbose") == 0)
            options->verbose = 1;
    }
    return options;
}

static void *work(void *data) {
    const struct options *options = data;
    if (options->verbose) /* FAULT a */
        printed++;
    return NULL;
}

int main(void) {
    static const char *const words[] = {"--jobs"};
    pthread_t worker;
    struct options *options = parse(1, words);
    pthread_create(&worker, NULL, work, options);
    pthread_join(worker, NULL);
    oracle(printed == 0, "it was verbose without being asked");
    free(options);
    return 0;
}
