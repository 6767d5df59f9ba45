// SPDX-License-Identifier: MIT
// Writes 512 MiB to standard output and as much to standard error, in two threads.
#include <pthread.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK_BYTES = 65536, BLOCKS = 8192 };

static int descriptors[2] = {STDOUT_FILENO, STDERR_FILENO};

static void *write_much(void *descriptor) {
    char block[BLOCK_BYTES];

    memset(block, 'x', sizeof block);
    for (size_t i = 79; i < sizeof block; i += 80)
        block[i] = '\n';
    for (int i = 0; i < BLOCKS; i++)
        if (write(*(int *)descriptor, block, sizeof block) < 0)
            break; // full or closed: as may be
    return NULL;
}

int main(void) {
    pthread_t thread;

    if (pthread_create(&thread, NULL, write_much, &descriptors[1]) != 0)
        return 2;
    write_much(&descriptors[0]);
    pthread_join(thread, NULL);
    return 0;
}
