/* SPDX-License-Identifier: MIT */
/* bare_mimalloc.c - a heap of mimalloc for each scope, destroyed with it. */
#include "meter.h"
#include "touch.h"

#include <mimalloc.h>

#define SUBJECT_NAME "callcost-bare-mimalloc"
#define SUBJECT_EACH 1
#define SUBJECT_SCOPE 1
#define SUBJECT_HANDOFF 0
#define SUBJECT_KEEP 0
#define SUBJECT_STOPS NULL
#include "bare_no_keep.h"
#include "bare_no_start.h"

LOOP void *subject_open(void *t) {
    (void)t;
    return mi_heap_new();
}
LOOP void subject_close(void *t, void *s) {
    (void)t;
    mi_heap_destroy(s);
}
LOOP void *subject_new(void *t, void *s, size_t size) {
    (void)t;
    return mi_heap_malloc(s, size);
}
LOOP void subject_give(void *t, void *s, size_t size, void *object) {
    (void)t, (void)s, (void)size;
    mi_free(object);
}

#include "bare.h"

#include "loops.h"
