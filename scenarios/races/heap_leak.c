/* SPDX-License-Identifier: MIT */
/* heap_leak.c - a line that cannot be parsed is not freed.
 *
 * Mechanism: the early return of the error path skips the cleanup at the end of the function.
 */
#include "races/case.h"

#include <string.h>

static bool parse(const char *line, int *value) {
    bool parsed = false;
    char *copy = malloc(strlen(line) + 1); /* FAULT a */
    if (copy == NULL)
        return false;
    strcpy(copy, line);
    char *equals = strchr(copy, '=');
    if (equals == NULL) {
        fprintf(stderr, "no value: %s\n", line);
#if !BUG
        free(copy);
#endif
        return parsed; /* FAULT b */
    }
    *value = atoi(equals + 1);
    free(copy);
    parsed = true;
    return parsed;
}

static void *parse_all(void *unused) {
    static const char *const lines[] = {"threads=4", "a comment", "seed=7"};
    int value = 0;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        if (!parse(lines[i], &value))
            value = 0;
    oracle(value == 7, "the last line was not parsed");
    return unused;
}

int main(void) {
    pthread_t parser;
    pthread_create(&parser, NULL, parse_all, NULL);
    pthread_join(parser, NULL);
    return 0;
}
