/* SPDX-License-Identifier: MIT */
/* strategy_malloc_epoch.h - malloc with slots that are safe by epochs (Concurrency Kit's ck_epoch).
 *
 * A read is a section of its own, so that overlapping reads which never all end do not hold the
 * epoch for ever. Retired objects are dispatched by ck_epoch_poll_deferred, by the thread that
 * retired them, one or two epochs later.
 *
 * A reader that stalls holds the epoch: what is retired meanwhile grows without bound, by every
 * thread, while swaps go on without waiting (each batch-th one looks at every thread's record in
 * vain). When it goes on, all of it is freed by the swaps that find out: a large batch, unless
 * amortised. Tunables, exits: see deferred.h.
 */
#include <ck_epoch.h>

#define DEFERRED_BATCH 64
typedef ck_epoch_entry_t deferred_entry;
struct deferred_own {
    ck_epoch_record_t record;
    ck_epoch_section_t sections[MEM_READS_MAX];
    void *reads[MEM_READS_MAX]; /* what each section is for, NULL: nothing */
};
#include "memory/deferred.h"

static ck_epoch_t epoch;
CK_STACK_CONTAINER(struct deferred_node, entry.stack_entry, epoch_node)

static void deferred_open(void) {
    ck_epoch_init(&epoch);
}
static void deferred_close(void) {}
static void deferred_enter(mem_thread *t, bool is_new) {
    if (is_new)
        ck_epoch_register(&epoch, &t->own.record, NULL);
}
static void deferred_exit(mem_thread *t) {
    (void)t; /* its record is outside of every section, so that it holds no epoch */
}

static void deferred_submit(struct deferred_node *node) {
    ck_epoch_call(&node->t->own.record, &node->entry, NULL); /* poll_deferred calls nothing */
}
static void deferred_collect(mem_thread *t) {
    ck_stack_t dispatched = CK_STACK_INITIALIZER;
    ck_epoch_poll_deferred(&t->own.record, &dispatched);
    ck_stack_entry_t *at, *next;
    CK_STACK_FOREACH_SAFE(&dispatched, at, next) {
        struct deferred_node *node = epoch_node(at);
        node->next = t->safe;
        t->safe = node;
    }
}
static bool deferred_has_safe(mem_thread *t) {
    return t->safe;
}

static inline void *mem_slot_read(mem_thread *t, mem_slot *slot) {
    uint32_t i = deferred_place(t->own.reads, NULL);
    ck_epoch_begin(&t->own.record, &t->own.sections[i]);
    void *object = deferred_load(slot);
    if (object)
        t->own.reads[i] = object;
    else
        ck_epoch_end(&t->own.record, &t->own.sections[i]);
    return object;
}
static inline void mem_slot_read_end(mem_thread *t, const mem_type *type, void *object) {
    (void)type;
    if (!object)
        return;
    uint32_t i = deferred_place(t->own.reads, object);
    t->own.reads[i] = NULL;
    TSAN_RELEASE(object); /* pairs with the acquire in deferred_free: libck is not instrumented */
    ck_epoch_end(&t->own.record, &t->own.sections[i]);
}
