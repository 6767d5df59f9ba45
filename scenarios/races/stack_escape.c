/* SPDX-License-Identifier: MIT */
/* stack_escape.c - a thread works on a request that lies in the stack frame of who started it.
 *
 * Mechanism: pthread_create returns at once, and so does the function whose local variable the
 * thread was given. The next function that is called has the same stack for its own.
 */
#include "races/case.h"

#include <string.h>

#define ROUNDS 500000

struct request {
    char path[100];
    long weight;
};
static long served;

static void *serve(void *data) {
    struct request *request = data;
    for (int i = 0; i < ROUNDS; i++)
        served += request->weight + request->path[0]; /* RACE a */
#if !BUG
    free(request);
#endif
    return NULL;
}

static pthread_t submit(const char *path) {
    pthread_t thread;
#if BUG
    struct request local, *request = &local;
#else
    struct request *request = malloc(sizeof *request);
    if (!request)
        abort();
#endif
    memset(request->path, 0, sizeof request->path);
    strncpy(request->path, path, sizeof request->path - 1);
    request->weight = 3;
    pthread_create(&thread, NULL, serve, request);
    return thread;
}

static size_t log_submitted(const char *path) {
    char line[400];
    memset(line, '.', sizeof line - 1); /* RACE b */
    line[sizeof line - 1] = '\0';       /* RACE c */
    memcpy(line, path, strlen(path));   /* RACE d */
    return strlen(line);
}

int main(void) {
    pthread_t thread = submit("/index");
    oracle(log_submitted("/index") == 399, "the line has another length");
    pthread_join(thread, NULL);
    oracle(served == ROUNDS * (3 + '/'), "the request changed while it was served");
    return 0;
}
