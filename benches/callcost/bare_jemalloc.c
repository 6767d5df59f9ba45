/* SPDX-License-Identifier: MIT */
/* bare_jemalloc.c - an explicit arena of jemalloc, reset when the work of a scope is done. */
#include "meter.h"
#include "touch.h"

#include <jemalloc/jemalloc.h>

#define SUBJECT_NAME "callcost-bare-jemalloc"
#define SUBJECT_EACH 0
#define SUBJECT_SCOPE 1
#define SUBJECT_HANDOFF 0
#define SUBJECT_KEEP 0
#define SUBJECT_STOPS NULL
#include "bare_no_give.h"
#include "bare_no_keep.h"
#include "bare_no_start.h"

#define NAME_PARTS 3 /* arena.<i>.reset */

static struct {
    size_t reset[NAME_PARTS];
    int flags;
} bare;

/* The arena is made on first use: in the child, by its only thread. */
LOOP void *subject_open(void *t) {
    unsigned arena;
    size_t bytes = sizeof arena, parts = NAME_PARTS;
    if (bare.flags)
        return t;
    if (mallctl("arenas.create", &arena, &bytes, NULL, 0) != 0 ||
        mallctlnametomib("arena.0.reset", bare.reset, &parts) != 0)
        meter_fail("this library has no explicit arenas");
    bare.reset[1] = arena;
    bare.flags = (int)MALLOCX_ARENA(arena) | MALLOCX_TCACHE_NONE;
    return t;
}
LOOP void subject_close(void *t, void *s) {
    (void)t, (void)s;
    mallctlbymib(bare.reset, NAME_PARTS, NULL, NULL, NULL, 0);
}
LOOP void *subject_new(void *t, void *s, size_t size) {
    (void)t, (void)s;
    return mallocx(size, bare.flags);
}

#include "bare.h"

#include "loops.h"
