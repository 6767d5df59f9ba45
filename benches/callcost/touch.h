/* SPDX-License-Identifier: MIT */
/* touch.h - how objects are used in the timed loops, so that nothing can be left out. */
#ifndef TAILRACE_CALLCOST_TOUCH_H
#define TAILRACE_CALLCOST_TOUCH_H

#include <stddef.h>
#include <stdint.h>

#define LOOP static inline __attribute__((always_inline, unused))
#define LOOP_LINE_BYTES 64
#define LOOP_SIZES(with) with(16) with(64) with(256) with(1024) with(4096)
#define LOOP_FEW 100    /* objects to a scope: a request's */
#define LOOP_MANY 10000 /* objects to a scope: more than caches and kept chunks hold, if large */
#define LOOP_PAIRS 1000 /* keep and drop */
#define LOOP_PAIR_SIZE 64
#define LOOP_SLOTS 16 /* batches on their way to the partner at most */

/* As if others read and wrote the object, and all other memory. */
LOOP void loop_escape(void *object) {
    __asm__ volatile("" : : "r"(object) : "memory");
}

/* Writes to every cache line. */
LOOP void loop_touch(void *object, size_t size) {
    for (size_t i = 0; i < size; i += LOOP_LINE_BYTES)
        *(uint64_t *)(void *)((char *)object + i) = i;
    loop_escape(object);
}

#endif
