/* SPDX-License-Identifier: MIT */
/* test_contract_slots.c - what mem.h promises of slots, read by several threads while they are
 * replaced, for one strategy. Nothing depends on time.
 */
#include "tests/contract_threads.h"

#include <sched.h>

#define SLOT_READS 20000
#define SLOT_SWAPS_MAX 400000
#define SWAPPERS 20
#define SWAPS_EACH 500

/* Values in the slot only grow, and do not change while they are read. */
static bool pair_is_right(const struct pair *pair, uint64_t least) {
    return pair->value >= least && pair->complement == ~pair->value;
}
static void read_slot(mem_thread *t, struct shared *shared) {
    struct board *board = shared->object;
    uint64_t least = 0;
    for (uint64_t i = 0; i < SLOT_READS; i++) {
        struct pair *pair = mem_slot_read(t, &board->slot);
        if (pair) {
            count(&shared->wrong, !pair_is_right(pair, least));
            least = pair->value;
            struct pair *again = mem_slot_read(t, &board->slot);
            if (i % 64 == 0)
                sched_yield();
            count(&shared->wrong, again && !pair_is_right(again, least));
            mem_slot_read_end(t, &pair_type, again);
            count(&shared->wrong, !pair_is_right(pair, least) || pair->value != least);
        }
        mem_slot_read_end(t, &pair_type, pair);
        mem_safepoint(t);
    }
}
static struct pair *pair_new(mem_thread *t, mem_scope *s, uint64_t value) {
    struct pair *pair = mem_new(t, s, &pair_type, 0);
    pair->value = value;
    pair->complement = ~value;
    return pair;
}
/* As many reads as may be open at once; those opened first end first. */
static void read_slot_many(mem_thread *t, struct shared *shared) {
    struct board *board = shared->object;
    struct pair *pairs[MEM_READS_MAX];
    uint64_t values[MEM_READS_MAX], least = 0;
    for (uint64_t i = 0; i < SLOT_READS / MEM_READS_MAX; i++) {
        for (uint32_t k = 0; k < MEM_READS_MAX; k++) {
            pairs[k] = mem_slot_read(t, &board->slot);
            values[k] = least = pairs[k] ? pairs[k]->value : least;
        }
        if (i % 16 == 0)
            sched_yield();
        for (uint32_t k = 0; k < MEM_READS_MAX; k++) {
            count(&shared->wrong, pairs[k] && (!pair_is_right(pairs[k], values[0]) ||
                                               pairs[k]->value != values[k]));
            mem_slot_read_end(t, &pair_type, pairs[k]);
        }
        mem_safepoint(t);
    }
}
static void replace_while(void (*reader)(mem_thread *t, struct shared *shared)) {
    struct shared *shared = shared_new(reader);
    mem_scope *s = mem_scope_begin(self);
    struct board *board = shared->object = mem_new(self, s, &board_type, 0);
    pthread_t ids[3];
    start(ids, 3, shared);
    /* relaxed: only ends the loop */
    for (uint64_t i = 1; i < SLOT_SWAPS_MAX; i++) {
        if (atomic_load_explicit(&shared->done, memory_order_relaxed) == 3)
            break;
        struct pair *pair = i % 100 ? pair_new(self, s, i) : NULL;
        mem_slot_swap(self, s, board, &board->slot, &pair_type, pair);
        mem_safepoint(self);
    }
    join(ids, 3);
    mem_slot_swap(self, s, board, &board->slot, &pair_type, pair_new(self, s, SLOT_SWAPS_MAX));
    struct pair *last = mem_slot_read(self, &board->slot);
    assert_true(pair_is_right(last, SLOT_SWAPS_MAX));
    mem_slot_read_end(self, &pair_type, last);
    mem_drop(self, s, &board_type, board);
    mem_scope_end(self, s);
    shared_free(shared);
}
static void test_slots_are_read_while_replaced(void **state) {
    (void)state;
    NEEDS(MEM_SLOTS);
    replace_while(read_slot);
}
static void test_many_reads_are_open_while_replaced(void **state) {
    (void)state;
    NEEDS(MEM_SLOTS);
    replace_while(read_slot_many);
}

static struct board *board_new(mem_thread *t, mem_scope *s, uint64_t value) {
    struct board *board = mem_new(t, s, &board_type, 0);
    board->value = value;
    mem_slot_swap(t, s, board, &board->slot, &pair_type, pair_new(t, s, value));
    return board;
}
/* What is read stays while the owner of its slot is dropped, or was replaced before and let go. */
static void read_on(mem_thread *t, struct shared *shared) {
    struct wall *wall = shared->object;
    struct board *dropped = shared->parcels[0].object, *board = mem_slot_read(t, &wall->slot);
    struct pair *pairs[2] = {mem_slot_read(t, &dropped->slot)};
    tell_sent(t, shared, 1);
    wait_until_sent(t, shared, 2);
    pairs[1] = mem_slot_read(t, &board->slot);
    count(&shared->wrong, board->value != 1);
    mem_slot_read_end(t, &board_type, board);
    tell_sent(t, shared, 3);
    wait_until_sent(t, shared, 4);
    for (int i = 0; i < 2; i++) {
        count(&shared->wrong, !pair_is_right(pairs[i], 1) || pairs[i]->value != 1);
        mem_slot_read_end(t, &pair_type, pairs[i]);
    }
}
static void swap_boards(mem_thread *t, struct shared *shared) {
    struct wall *wall = shared->object;
    mem_scope_enter(t, shared->scope);
    for (uint64_t i = 0; i < SWAPS_EACH; i++) {
        mem_slot_swap(t, shared->scope, wall, &wall->slot, &board_type,
                      board_new(t, shared->scope, 2 + i));
        mem_safepoint(t);
    }
    mem_scope_leave(t, shared->scope);
}
/* Those who replace come and go, one after the other, while the reader stalls. */
static void test_reads_stay_open_over_many_swaps(void **state) {
    (void)state;
    NEEDS(MEM_SLOTS);
    struct shared *reading = shared_new(read_on), *swapping = shared_new(swap_boards);
    mem_scope *s = swapping->scope = mem_scope_begin(self);
    struct wall *wall = reading->object = swapping->object = mem_new(self, s, &wall_type, 0);
    mem_slot_swap(self, s, wall, &wall->slot, &board_type, board_new(self, s, 1));
    struct board *dropped = reading->parcels[0].object = board_new(self, s, 1);
    mem_scope_leave(self, s);
    pthread_t reader, swapper;
    start(&reader, 1, reading);
    for (uint32_t sent = 1; sent < 4; sent += 2) {
        wait_until_sent(self, reading, sent);
        mem_scope_enter(self, s);
        mem_drop(self, s, &board_type, sent == 1 ? dropped : NULL);
        mem_scope_leave(self, s);
        swap_boards(self, swapping);
        for (uint32_t i = 0; i < SWAPPERS; i++) {
            start(&swapper, 1, swapping);
            join(&swapper, 1);
        }
        tell_sent(self, reading, sent + 1);
    }
    join(&reader, 1);
    mem_scope_enter(self, s);
    mem_drop(self, s, &wall_type, wall);
    mem_scope_end(self, s);
    shared_free(reading);
    shared_free(swapping);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slots_are_read_while_replaced),
        cmocka_unit_test(test_many_reads_are_open_while_replaced),
        cmocka_unit_test(test_reads_stay_open_over_many_swaps),
    };
    return cmocka_run_group_tests(tests, contract_setup, contract_teardown);
}
