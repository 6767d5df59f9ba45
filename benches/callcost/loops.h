/* SPDX-License-Identifier: MIT */
/* loops.h - the timed loops and the main function, the same for strategies and bare libraries.
 *
 * A program defines before it includes this, with size a constant:
 *
 *   SUBJECT_NAME                         of the program
 *   SUBJECT_EACH, _SCOPE, _HANDOFF,      1 where objects can be released one by one, with their
 *   _KEEP                                scope, by another thread; are counted. Else 0
 *   SUBJECT_STOPS                        counts collections; or NULL
 *   subject_start, _attach, _idle        as of struct meter_program
 *   subject_state(bytes)                 zeroed memory that may hold objects
 *   subject_slots(t)                     makes the slots of send and take
 *   subject_open(t), _close(t, s)        a scope; nothing for what has none
 *   subject_new(t, s, size)              an object
 *   subject_keep(t, object)              one more reference to it
 *   subject_give(t, s, size, object)     gives a reference, or the object, back
 *   subject_send(t, slot, batch, size)   new objects, left in a slot
 *   subject_take(t, slot, batch, size)   on the partner: releases them
 *   subject_share(t, &pair), _join(...)  makes both threads hold what one had; each has then a
 *   struct subject_pair                  scope and an object for keep and give
 */
#ifndef TAILRACE_CALLCOST_LOOPS_H
#define TAILRACE_CALLCOST_LOOPS_H

#include "meter.h"
#include "touch.h"

static void **loop_held;
static uint64_t loop_pairs; /* of the partner; written before send */

static void loop_hold(void *t) {
    (void)t;
    loop_held = subject_state(LOOP_MANY * sizeof *loop_held);
}

/* The objects of a scope live together, then each is released. */
LOOP void loop_each(void *t, uint64_t passes, uint64_t batch, size_t size) {
    void **held = loop_held;
    for (; passes > 0; passes--) {
        void *s = subject_open(t);
        for (uint64_t i = 0; i < batch; i++) {
            void *object = subject_new(t, s, size);
            loop_touch(object, size);
            held[i] = object;
        }
        for (uint64_t i = 0; i < batch; i++)
            subject_give(t, s, size, held[i]);
        subject_close(t, s);
    }
}

/* The end of the scope releases them all. */
LOOP void loop_scope(void *t, uint64_t passes, uint64_t batch, size_t size) {
    for (; passes > 0; passes--) {
        void *s = subject_open(t);
        for (uint64_t i = 0; i < batch; i++)
            loop_touch(subject_new(t, s, size), size);
        subject_close(t, s);
    }
}

/* Each is released before the next one is made. */
LOOP void loop_at_once(void *t, uint64_t passes, uint64_t batch, size_t size) {
    for (; passes > 0; passes--) {
        void *s = subject_open(t);
        for (uint64_t i = 0; i < batch; i++) {
            void *object = subject_new(t, s, size);
            loop_touch(object, size);
            subject_give(t, s, size, object);
        }
        subject_close(t, s);
    }
}

/* One thread makes them, the other one releases them, both at work at once. */
LOOP void loop_handoff(void *t, uint64_t passes, uint64_t batch, size_t size) {
    for (; passes > 0; passes--) {
        partner_wait(t, LOOP_SLOTS - 1);
        subject_send(t, partner_sent() % LOOP_SLOTS, batch, size);
        partner_send();
    }
    partner_wait(t, 0);
}

/* Pairs of keep and drop on one object. */
LOOP void loop_keep(void *t, const struct subject_pair *pair, uint64_t pairs) {
    void *s = pair->scope, *object = pair->object;
    for (; pairs > 0; pairs--) {
        void *kept = subject_keep(t, object);
        loop_escape(kept);
        subject_give(t, s, LOOP_PAIR_SIZE, kept);
    }
}

static struct subject_pair loop_mine, loop_partners;

static void loop_make_pair(void *t) {
    loop_mine.scope = subject_open(t);
    loop_mine.object = subject_new(t, loop_mine.scope, LOOP_PAIR_SIZE);
}
static void loop_keep_own(void *t, uint64_t passes, uint64_t batch) {
    loop_keep(t, &loop_mine, passes * batch);
}
static void loop_share_pair(void *t) {
    loop_make_pair(t);
    subject_share(t, &loop_mine);
}
static void loop_partner_keeps(void *t, uint64_t item, uint64_t batch) {
    (void)item;
    if (!loop_partners.object)
        subject_join(t, &loop_partners);
    loop_keep(t, &loop_partners, loop_pairs * batch);
}
static void loop_keep_other(void *t, uint64_t passes, uint64_t batch) {
    (void)batch;
    loop_pairs = passes;
    partner_send();
    partner_wait(t, 0);
}
/* Until both have done so many. */
static void loop_keep_both(void *t, uint64_t passes, uint64_t batch) {
    loop_pairs = passes;
    partner_send();
    loop_keep(t, &loop_mine, passes * batch);
    partner_wait(t, 0);
}

/* The loops for each size, so that it is a constant in them. */
#define LOOP_OF_SIZE(size)                                                                         \
    static void each_##size(void *t, uint64_t passes, uint64_t batch) {                            \
        loop_each(t, passes, batch, size);                                                         \
    }                                                                                              \
    static void scope_##size(void *t, uint64_t passes, uint64_t batch) {                           \
        loop_scope(t, passes, batch, size);                                                        \
    }                                                                                              \
    static void at_once_##size(void *t, uint64_t passes, uint64_t batch) {                         \
        loop_at_once(t, passes, batch, size);                                                      \
    }                                                                                              \
    static void handoff_##size(void *t, uint64_t passes, uint64_t batch) {                         \
        loop_handoff(t, passes, batch, size);                                                      \
    }                                                                                              \
    static void take_##size(void *t, uint64_t item, uint64_t batch) {                              \
        subject_take(t, item % LOOP_SLOTS, batch, size);                                           \
    }
LOOP_SIZES(LOOP_OF_SIZE)

#define LOOP_WAYS(size)                                                                            \
    {SUBJECT_EACH, "each", size, LOOP_FEW, loop_hold, each_##size, NULL},                          \
        {SUBJECT_EACH, "each", size, LOOP_MANY, loop_hold, each_##size, NULL},                     \
        {SUBJECT_SCOPE, "scope", size, LOOP_FEW, NULL, scope_##size, NULL},                        \
        {SUBJECT_SCOPE, "scope", size, LOOP_MANY, NULL, scope_##size, NULL},                       \
        {SUBJECT_EACH, "at-once", size, LOOP_FEW, NULL, at_once_##size, NULL},                     \
        {SUBJECT_HANDOFF, "handoff", size, LOOP_FEW, subject_slots, handoff_##size, take_##size},
int main(int argc, char **argv) {
    const struct meter_way ways[] = {
        LOOP_SIZES(LOOP_WAYS){SUBJECT_KEEP, "keep-own", LOOP_PAIR_SIZE, LOOP_PAIRS, loop_make_pair,
                              loop_keep_own, NULL},
        {SUBJECT_KEEP && SUBJECT_HANDOFF, "keep-other", LOOP_PAIR_SIZE, LOOP_PAIRS, loop_share_pair,
         loop_keep_other, loop_partner_keeps},
        {SUBJECT_KEEP && SUBJECT_HANDOFF, "keep-both", LOOP_PAIR_SIZE, LOOP_PAIRS, loop_share_pair,
         loop_keep_both, loop_partner_keeps}};
    const struct meter_program program = {
        .name = SUBJECT_NAME,
        .ways = ways,
        .way_count = sizeof ways / sizeof *ways,
        .start = subject_start,
        .attach = subject_attach,
        .idle = subject_idle,
        .stops = SUBJECT_STOPS,
    };
    return meter_main(argc, argv, &program);
}

#endif
