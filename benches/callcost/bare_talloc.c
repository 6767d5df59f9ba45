/* SPDX-License-Identifier: MIT */
/* bare_talloc.c - a pool of talloc for each scope, of the size that Samba gives a request. */
#include "meter.h"
#include "touch.h"

#include <talloc.h>

#define SUBJECT_NAME "callcost-bare-talloc"
#define SUBJECT_EACH 1
#define SUBJECT_SCOPE 1
#define SUBJECT_HANDOFF 0
#define SUBJECT_KEEP 0
#define SUBJECT_STOPS NULL
#include "bare_no_keep.h"
#include "bare_no_start.h"

#define POOL_BYTES 8192

LOOP void *subject_open(void *t) {
    return talloc_pool(t, POOL_BYTES);
}
LOOP void subject_close(void *t, void *s) {
    (void)t;
    talloc_free(s);
}
LOOP void *subject_new(void *t, void *s, size_t size) {
    (void)t;
    return talloc_size(s, size);
}
LOOP void subject_give(void *t, void *s, size_t size, void *object) {
    (void)t, (void)s, (void)size;
    talloc_free(object);
}

#include "bare.h"

#include "loops.h"
