/* SPDX-License-Identifier: MIT */
/* bad_free_interior.c - a line is freed by the pointer that has gone past its leading blanks.
 *
 * Mechanism: free wants the address that malloc gave, and this one lies within the block.
 */
#include "races/case.h"

#include <string.h>

static char *skip_blanks(char *line) {
    while (*line == ' ')
        line++;
    return line;
}

static void *handle(void *data) {
    char *line = data;
#if BUG
    line = skip_blanks(line);
    oracle(strcmp(line, "quit") == 0, "no such command");
#else
    oracle(strcmp(skip_blanks(line), "quit") == 0, "no such command");
#endif
    free(line); /* FAULT a */
    return NULL;
}

int main(void) {
    pthread_t handler;
    char *line = strdup("  quit");
    if (!line)
        abort();
    pthread_create(&handler, NULL, handle, line);
    pthread_join(handler, NULL);
    return 0;
}
