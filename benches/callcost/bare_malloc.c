/* SPDX-License-Identifier: MIT */
/* bare_malloc.c - malloc and free. */
#include "meter.h"
#include "touch.h"

#define SUBJECT_NAME "callcost-bare-malloc"
#define SUBJECT_EACH 1
#define SUBJECT_SCOPE 0
#define SUBJECT_HANDOFF 1
#define SUBJECT_KEEP 0
#define SUBJECT_STOPS NULL
#include "bare_no_keep.h"
#include "bare_no_scope.h"
#include "bare_no_start.h"

LOOP void *subject_new(void *t, void *s, size_t size) {
    (void)t, (void)s;
    return malloc(size);
}
LOOP void subject_give(void *t, void *s, size_t size, void *object) {
    (void)t, (void)s, (void)size;
    free(object);
}

#include "bare.h"

#include "loops.h"
