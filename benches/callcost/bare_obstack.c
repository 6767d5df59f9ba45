/* SPDX-License-Identifier: MIT */
/* bare_obstack.c - an obstack of glibc, emptied when the work of a scope is done. */
#include "meter.h"
#include "touch.h"

#include <obstack.h>
#include <stdlib.h>

#define SUBJECT_NAME "callcost-bare-obstack"
#define SUBJECT_EACH 0
#define SUBJECT_SCOPE 1
#define SUBJECT_HANDOFF 0
#define SUBJECT_KEEP 0
#define SUBJECT_STOPS NULL
#include "bare_no_give.h"
#include "bare_no_keep.h"

#define obstack_chunk_alloc malloc
#define obstack_chunk_free free

static struct bare_obstack {
    struct obstack stack;
    void *first;
} bare_obstack;

static void subject_start(void) {
    obstack_init(&bare_obstack.stack);
    obstack_alignment_mask(&bare_obstack.stack) = 7;
    bare_obstack.first = obstack_alloc(&bare_obstack.stack, 0);
}
static void *subject_attach(void) {
    return &bare_obstack;
}
static void *subject_state(size_t bytes) {
    return calloc(1, bytes);
}
LOOP void *subject_open(void *t) {
    return t;
}
LOOP void subject_close(void *t, void *s) {
    (void)t;
    struct bare_obstack *bare = s;
    obstack_free(&bare->stack, bare->first);
}
LOOP void *subject_new(void *t, void *s, size_t size) {
    (void)t;
    struct bare_obstack *bare = s;
    return obstack_alloc(&bare->stack, (int)size);
}

#include "bare.h"

#include "loops.h"
