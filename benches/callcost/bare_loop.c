/* SPDX-License-Identifier: MIT */
/* bare_loop.c - loops without memory management: an empty one, and one that only stores. */
#include "meter.h"
#include "touch.h"

#include <stdlib.h>

static char *memory;

static void start(void) {}
static void *attach(void) {
    return NULL;
}
static void idle(void *t) {
    (void)t;
}
static void reserve(void *t) {
    (void)t;
    memory = malloc(LOOP_MANY * (size_t)4096);
    if (!memory)
        meter_fail("out of memory");
}

static void run_empty(void *t, uint64_t passes, uint64_t batch) {
    for (; passes > 0; passes--)
        for (uint64_t i = 0; i < batch; i++)
            loop_escape(t);
}

/* Where an arena would put the objects, and the same stores. */
LOOP void store(uint64_t passes, uint64_t batch, size_t size) {
    for (; passes > 0; passes--) {
        char *at = memory;
        for (uint64_t i = 0; i < batch; i++, at += size)
            loop_touch(at, size);
    }
}

#define STORE_OF_SIZE(size)                                                                        \
    static void store_##size(void *t, uint64_t passes, uint64_t batch) {                           \
        (void)t;                                                                                   \
        store(passes, batch, size);                                                                \
    }
LOOP_SIZES(STORE_OF_SIZE)
#define STORE_WAYS(size)                                                                           \
    {true, "store", size, LOOP_FEW, reserve, store_##size, NULL},                                  \
        {true, "store", size, LOOP_MANY, reserve, store_##size, NULL},

int main(int argc, char **argv) {
    const struct meter_way ways[] = {
        LOOP_SIZES(STORE_WAYS){true, "empty", 0, LOOP_FEW, NULL, run_empty, NULL}};
    const struct meter_program program = {
        .name = "callcost-bare-loop",
        .ways = ways,
        .way_count = sizeof ways / sizeof *ways,
        .start = start,
        .attach = attach,
        .idle = idle,
    };
    return meter_main(argc, argv, &program);
}
