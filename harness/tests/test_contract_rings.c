/* SPDX-License-Identifier: MIT */
/* test_contract_rings.c - what mem.h promises of owned references that form rings, for one
 * strategy.
 */
#include "tests/contract.h"

#define RINGS 500000
#define RINGS_OF_A_SHAPE 2500 /* a candidate each, so that a search comes amid them */
#define RING_LENGTH 200000
#define KNOT_BYTES 1000
#define READERS 3
#define SLOT_READS 10000
#define SLOT_SWAPS_MAX 200000

struct knot {
    uint64_t value;
    mem_ref pair, other, next;
};
static const mem_type knot_type;
static const mem_edge knot_edges[] = {{offsetof(struct knot, pair), MEM_OWNED, &pair_type},
                                      {offsetof(struct knot, other), MEM_OWNED, &knot_type},
                                      {offsetof(struct knot, next), MEM_OWNED, &knot_type}};
static const mem_type knot_type = {.name = "knot",
                                   .id = 5,
                                   .size = sizeof(struct knot),
                                   .trailing_max = KNOT_BYTES,
                                   .edge_count = 3,
                                   .edges = knot_edges};
struct show {
    mem_slot slot;
};
static const mem_edge show_edges[] = {{offsetof(struct show, slot), MEM_SLOT, &knot_type}};
static const mem_type show_type = {
    .name = "show", .id = 6, .size = sizeof(struct show), .edge_count = 1, .edges = show_edges};

static struct knot *knot_new(mem_scope *s, uint64_t value, size_t bytes) {
    struct knot *knot = mem_new(self, s, &knot_type, bytes);
    knot->value = value;
    return knot;
}
static void set_next(mem_scope *s, struct knot *from, struct knot *to) {
    mem_set(self, s, from, &from->next, &knot_type, to);
}
static void set_other(mem_scope *s, struct knot *from, struct knot *to) {
    mem_set(self, s, from, &from->other, &knot_type, to);
}
static struct knot *keep(struct knot *knot) {
    return mem_keep(self, &knot_type, knot);
}
static void drop(mem_scope *s, struct knot *knot) {
    mem_drop(self, s, &knot_type, knot);
}

/* A ring of knots of one value; the caller holds the first. */
static struct knot *ring_new(mem_scope *s, uint64_t length, uint64_t value, size_t bytes) {
    struct knot *first = knot_new(s, value, bytes), *last = first;
    for (uint64_t i = 1; i < length; i++) {
        set_next(s, last, knot_new(s, value, bytes));
        last = mem_get(&last->next);
    }
    set_next(s, last, keep(first));
    return first;
}
static bool ring_is_right(const struct knot *knot, uint64_t length, uint64_t value) {
    const struct knot *at = knot;
    bool right = true;
    for (uint64_t i = 0; i < length; i++, at = mem_get(&at->next))
        right &= at->value == value;
    return right && at == knot;
}

static void test_dropped_rings_are_reclaimed(void **state) {
    (void)state;
    NEEDS(MEM_CYCLES);
    NEEDS(MEM_RECLAIM);
    NEEDS_REUSE;
    size_t before = rss_bytes();
    mem_scope *s = mem_scope_begin(self);
    for (uint64_t i = 0; i < RINGS; i++) {
        drop(s, ring_new(s, 2, i, KNOT_BYTES));
        mem_safepoint(self);
    }
    assert_true(rss_bytes() < before + ((size_t)512 << 20)); /* of 1 GB; ASan holds back 256 MB */
    mem_scope_end(self, s);
}

/* The rings' last reference moves into the ring itself. */
static void test_rings_that_close_last_are_reclaimed(void **state) {
    (void)state;
    NEEDS(MEM_CYCLES);
    NEEDS(MEM_RECLAIM);
    NEEDS_REUSE;
    size_t before = rss_bytes();
    mem_scope *s = mem_scope_begin(self);
    for (uint64_t i = 0; i < RINGS; i++) {
        struct knot *a = knot_new(s, i, KNOT_BYTES), *b = knot_new(s, i, KNOT_BYTES);
        set_next(s, b, a);
        set_next(s, a, b);
        mem_safepoint(self);
    }
    assert_true(rss_bytes() < before + ((size_t)512 << 20));
    mem_scope_end(self, s);
}

/* Everything that is made here is dropped; LeakSanitizer tells what is forgotten. */
static void make_shapes(mem_scope *s, uint64_t i) {
    struct knot *itself = ring_new(s, 1, i, 0);
    drop(s, itself);

    struct knot *tailed = ring_new(s, 3, i, 0), *tail = knot_new(s, i, 0);
    set_next(s, tail, knot_new(s, i, 0));
    set_other(s, tailed, tail);
    mem_set(self, s, tailed, &tailed->pair, &pair_type, mem_new(self, s, &pair_type, 0));
    struct knot *into = knot_new(s, i, 0);
    set_other(s, into, tailed); /* a tail that leads into it holds it in the end */
    drop(s, into);

    struct knot *shared = ring_new(s, 2 + i % 3, i, 0), *bridge = knot_new(s, i, 0);
    set_next(s, bridge, keep(shared));
    set_other(s, shared, bridge);
    drop(s, shared);

    struct knot *one = ring_new(s, 2, i, 0), *two = ring_new(s, 2, i, 0);
    set_other(s, one, keep(two));
    if (i % 2) /* else the second hangs on the first */
        set_other(s, two, keep(one));
    drop(s, two);
    drop(s, one);

    struct knot *opened = ring_new(s, 4, i, 0);
    set_next(s, opened, NULL); /* the rest goes, and lets go of it */
    drop(s, opened);
}
static void test_rings_of_all_shapes_are_freed(void **state) {
    (void)state;
    NEEDS(MEM_CYCLES);
    NEEDS(MEM_SHARED);
    mem_scope *s = mem_scope_begin(self);
    for (uint64_t i = 0; i < RINGS_OF_A_SHAPE; i++)
        make_shapes(s, i);
    mem_scope_end(self, s);
}

static void test_a_ring_that_is_held_stays(void **state) {
    (void)state;
    NEEDS(MEM_CYCLES);
    NEEDS(MEM_SHARED);
    mem_scope *s = mem_scope_begin(self);
    struct knot *first = ring_new(s, 5, 42, 0);
    struct knot *held = keep(mem_get(&first->next));
    struct knot *behind = knot_new(s, 43, 0); /* holds another ring */
    set_other(s, behind, ring_new(s, 3, 44, 0));
    drop(s, first);
    for (uint64_t i = 0; i < RINGS_OF_A_SHAPE; i++) {
        make_shapes(s, i);
        struct knot *dropped = ring_new(s, 2, i, 0);
        set_other(s, dropped, keep(i % 2 ? held : mem_get(&behind->other)));
        drop(s, dropped);
        assert_true(ring_is_right(held, 5, 42));
        assert_true(ring_is_right(mem_get(&behind->other), 3, 44));
    }
    drop(s, held);
    drop(s, behind);
    mem_scope_end(self, s);
}

static void test_a_long_ring_is_freed(void **state) {
    (void)state;
    NEEDS(MEM_CYCLES);
    mem_scope *s = mem_scope_begin(self);
    drop(s, ring_new(s, RING_LENGTH, 1, 0));
    mem_scope_end(self, s);
}

/* Readers go from the slot's knot to the next of its ring, hold that alone, and drop it in turn. */
struct shared {
    pthread_mutex_t lock;
    mem_scope *scope;
    mem_ref show;
    _Atomic uint32_t wrong, done; /* relaxed: read after join, or only to end a loop */
};
static void read_ring(mem_thread *t, struct shared *shared) {
    struct show *show = shared->show;
    bool right = true;
    for (uint64_t i = 0; i < SLOT_READS; i++) {
        struct knot *first = mem_slot_read(t, &show->slot), *next = NULL;
        uint64_t value = 0;
        if (first) {
            value = first->value;
            next = mem_keep(t, &knot_type, mem_get(&first->next));
        }
        mem_slot_read_end(t, &knot_type, first);
        right &= !next || ring_is_right(next, 3, value);
        if (next) {
            scenario_lock(t, &shared->lock);
            mem_scope_enter(t, shared->scope);
            mem_drop(t, shared->scope, &knot_type, next);
            mem_scope_leave(t, shared->scope);
            pthread_mutex_unlock(&shared->lock);
        }
        mem_safepoint(t);
    }
    atomic_fetch_add_explicit(&shared->wrong, !right, memory_order_relaxed);
}
static void *reader_main(void *argument) {
    struct shared *shared = argument;
    mem_thread *t = mem_attach();
    read_ring(t, shared);
    mem_detach(t);
    atomic_fetch_add_explicit(&shared->done, 1, memory_order_relaxed);
    return NULL;
}
static void swap_ring(struct shared *shared, uint64_t value) {
    scenario_lock(self, &shared->lock);
    mem_scope *s = shared->scope;
    struct show *show = shared->show;
    mem_scope_enter(self, s);
    struct knot *ring = value % 50 ? ring_new(s, 3, value, 0) : NULL;
    mem_slot_swap(self, s, show, &show->slot, &knot_type, ring);
    mem_scope_leave(self, s);
    pthread_mutex_unlock(&shared->lock);
    mem_safepoint(self);
}
static void test_rings_in_slots_are_read_while_replaced(void **state) {
    (void)state;
    NEEDS(MEM_CYCLES);
    NEEDS(MEM_SLOTS);
    NEEDS(MEM_SHARED);
    struct shared *shared = mem_state_new(sizeof *shared);
    pthread_mutex_init(&shared->lock, NULL);
    shared->scope = mem_scope_begin(self);
    struct show *show = shared->show = mem_new(self, shared->scope, &show_type, 0);
    mem_scope_leave(self, shared->scope);
    pthread_t ids[READERS];
    for (uint32_t i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&ids[i], NULL, reader_main, shared), 0);
    for (uint64_t i = 1; i < SLOT_SWAPS_MAX; i++) {
        if (atomic_load_explicit(&shared->done, memory_order_relaxed) == READERS)
            break;
        swap_ring(shared, i);
    }
    mem_block(self);
    for (uint32_t i = 0; i < READERS; i++)
        pthread_join(ids[i], NULL);
    mem_unblock(self);
    assert_int_equal(atomic_load_explicit(&shared->wrong, memory_order_relaxed), 0);
    mem_scope_enter(self, shared->scope);
    mem_drop(self, shared->scope, &show_type, show);
    mem_scope_end(self, shared->scope);
    pthread_mutex_destroy(&shared->lock);
    mem_state_free(shared);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dropped_rings_are_reclaimed),
        cmocka_unit_test(test_rings_that_close_last_are_reclaimed),
        cmocka_unit_test(test_rings_of_all_shapes_are_freed),
        cmocka_unit_test(test_a_ring_that_is_held_stays),
        cmocka_unit_test(test_a_long_ring_is_freed),
        cmocka_unit_test(test_rings_in_slots_are_read_while_replaced),
    };
    return cmocka_run_group_tests(tests, contract_setup, contract_teardown);
}
