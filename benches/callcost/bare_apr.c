/* SPDX-License-Identifier: MIT */
/* bare_apr.c - a pool of the Apache Portable Runtime, cleared when the work of a scope is done. */
#include "meter.h"
#include "touch.h"

#include <apr_general.h>
#include <apr_pools.h>

#define SUBJECT_NAME "callcost-bare-apr"
#define SUBJECT_EACH 0
#define SUBJECT_SCOPE 1
#define SUBJECT_HANDOFF 0
#define SUBJECT_KEEP 0
#define SUBJECT_STOPS NULL
#include "bare_no_give.h"
#include "bare_no_keep.h"

#include <stdlib.h>

static void subject_start(void) {
    apr_initialize();
}
static void *subject_attach(void) {
    apr_allocator_t *allocator;
    apr_pool_t *pool;
    if (apr_allocator_create(&allocator) != APR_SUCCESS ||
        apr_pool_create_ex(&pool, NULL, NULL, allocator) != APR_SUCCESS)
        meter_fail("out of memory");
    apr_allocator_owner_set(allocator, pool);
    return pool;
}
static void *subject_state(size_t bytes) {
    return calloc(1, bytes);
}
LOOP void *subject_open(void *t) {
    return t;
}
LOOP void subject_close(void *t, void *s) {
    (void)t;
    apr_pool_clear(s);
}
LOOP void *subject_new(void *t, void *s, size_t size) {
    (void)t;
    return apr_palloc(s, size);
}

#include "bare.h"

#include "loops.h"
