/* SPDX-License-Identifier: MIT */
/* bare.h - what bare libraries have in common in loops.h: no threads of their own, batches handed
 * over as arrays of pointers. Included after subject_state, _new and _give. */
#ifndef TAILRACE_CALLCOST_BARE_H
#define TAILRACE_CALLCOST_BARE_H

#include "touch.h"

struct subject_pair {
    void *scope, *object;
};
static void **slots;
static struct subject_pair shared;

static void subject_idle(void *t) {
    (void)t;
}
static void subject_slots(void *t) {
    (void)t;
    slots = subject_state(LOOP_SLOTS * LOOP_FEW * sizeof *slots);
}
LOOP void subject_send(void *t, uint64_t slot, uint64_t batch, size_t size) {
    void **at = slots + slot * LOOP_FEW;
    for (uint64_t i = 0; i < batch; i++) {
        at[i] = subject_new(t, t, size);
        loop_touch(at[i], size);
    }
}
LOOP void subject_take(void *t, uint64_t slot, uint64_t batch, size_t size) {
    void **at = slots + slot * LOOP_FEW;
    for (uint64_t i = 0; i < batch; i++)
        subject_give(t, t, size, at[i]);
}
static void subject_join(void *t, struct subject_pair *pair) {
    *pair = shared;
    subject_keep(t, pair->object);
}
static void subject_share(void *t, struct subject_pair *pair) {
    (void)t;
    shared = *pair;
}

#endif
