/* SPDX-License-Identifier: MIT */
/* strategy_malloc_hazard.h - malloc with slots that are safe by hazard pointers (Concurrency Kit's
 * ck_hp).
 *
 * A read publishes what it found in one of the thread's MEM_READS_MAX hazard pointers and looks
 * whether the slot still holds it. Reclamation gathers the hazard pointers of all threads and frees
 * what is in none of them.
 *
 * A reader that stalls keeps what it reads and no more: a thread has at most threads x
 * MEM_READS_MAX + batch objects retired (amortised: about as many again that are safe), and swaps
 * go on without waiting. The threshold is counted in attempts (deferred.h) and not left to
 * ck_hp_free, which would search at every swap once that many are hazardous.
 */
#include <ck_hp.h>

#define DEFERRED_BATCH 64
typedef ck_hp_hazard_t deferred_entry;
struct deferred_own {
    ck_hp_record_t record;
    void *hazards[MEM_READS_MAX]; /* NULL: free */
};
#include "memory/deferred.h"

/* ck_hp_reclaim keeps CK_HP_CACHE hazard pointers and would overlook the others. That is libck as
 * it is built: threads attached at once, those that set up and that the scenario has besides
 * included.
 */
#define HAZARD_THREADS_MAX 64
_Static_assert(HAZARD_THREADS_MAX *MEM_READS_MAX <= CK_HP_CACHE, "all are looked at");

static ck_hp_t hazard;

/* Freeing may retire what was in slots, which ck_hp_reclaim's walk over the retired cannot bear. */
static void hazard_is_safe(void *data) {
    struct deferred_node *node = data;
    node->next = node->t->safe;
    node->t->safe = node;
}

static void deferred_open(void) {
    ck_hp_init(&hazard, MEM_READS_MAX, (unsigned)deferred.batch, hazard_is_safe);
}
static void deferred_close(void) {}
static void deferred_enter(mem_thread *t, bool is_new) {
    if (!is_new)
        return;
    ck_hp_register(&hazard, &t->own.record, t->own.hazards);
    if (hazard.n_subscribers > HAZARD_THREADS_MAX)
        host_unsupported("malloc-hazard takes 64 threads at most, of which one sets up and the "
                         "scenario may have some: libck compares no more hazard pointers");
}
static void deferred_exit(mem_thread *t) {
    (void)t; /* its hazard pointers are NULL */
}

static void deferred_submit(struct deferred_node *node) {
    ck_hp_retire(&node->t->own.record, &node->entry, node, node->object);
}
static void deferred_collect(mem_thread *t) {
    ck_pr_fence_memory(); /* what was retired was unlinked before hazard pointers are looked at */
    ck_hp_reclaim(&t->own.record);
}
static bool deferred_has_safe(mem_thread *t) {
    return t->safe;
}

static inline void *mem_slot_read(mem_thread *t, mem_slot *slot) {
    uint32_t i = deferred_place(t->own.hazards, NULL);
    void *object = deferred_load(slot), *seen = NULL;
    while (object !=
           seen) { /* unlinked meanwhile, maybe before its hazard pointer was to be seen */
        seen = object;
        ck_hp_set_fence(&t->own.record, i, object);
        object = deferred_load(slot);
    }
    return object;
}
static inline void mem_slot_read_end(mem_thread *t, const mem_type *type, void *object) {
    (void)type;
    if (!object)
        return;
    TSAN_RELEASE(object);  /* pairs with the acquire in deferred_free: libck is not instrumented */
    ck_pr_fence_release(); /* uses come before the hazard pointer is seen to be gone */
    ck_hp_set(&t->own.record, deferred_place(t->own.hazards, object), NULL);
}
