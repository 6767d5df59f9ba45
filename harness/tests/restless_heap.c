/* SPDX-License-Identifier: MIT */
/* restless_heap.c - a library to preload: glibc's malloc, but while it serves a call it makes calls
 * of its own by the same names. For test_heap_count: they are not the program's. */
#include <stdlib.h>

void *__libc_malloc(size_t bytes);
void __libc_free(void *memory);

static _Thread_local int busy;

static void be_restless(void) {
    if (busy++ == 0)
        free(realloc(calloc(3, 5), 100));
    busy--;
}

void *malloc(size_t bytes) {
    be_restless();
    return __libc_malloc(bytes);
}
void free(void *memory) {
    be_restless();
    __libc_free(memory);
}
