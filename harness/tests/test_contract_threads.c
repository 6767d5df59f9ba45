/* SPDX-License-Identifier: MIT */
/* test_contract_threads.c - what mem.h promises to several threads, for one strategy.
 *
 * What the threads share lies in state memory. Threads other than the main one count what is wrong,
 * the main one asserts. Nothing depends on time.
 */
#include "tests/contract.h"

#include <sched.h>

#define THREADS_MAX 4
#define PARCELS 300
#define TURNS 3000
#define LEFT_LENGTH 50000
#define SLOT_READS 20000
#define SLOT_SWAPS_MAX 400000
#define SWAPPERS 20
#define SWAPS_EACH 500

struct shared {
    pthread_mutex_t lock;
    pthread_cond_t more;
    void (*work)(mem_thread *t, struct shared *shared);
    mem_scope *scope;
    mem_ref object;
    uint64_t expected;
    uint32_t sent; /* under lock */
    mem_parcel parcels[PARCELS];
    _Atomic bool dropped;
    _Atomic uint32_t wrong, done; /* relaxed: read after join, or only to end a loop */
};

static void count(_Atomic uint32_t *counter, bool by) {
    atomic_fetch_add_explicit(counter, by, memory_order_relaxed);
}

static struct shared *shared_new(void (*work)(mem_thread *t, struct shared *shared)) {
    struct shared *shared = mem_state_new(sizeof *shared);
    pthread_mutex_init(&shared->lock, NULL);
    pthread_cond_init(&shared->more, NULL);
    shared->work = work;
    return shared;
}
static void shared_free(struct shared *shared) {
    assert_int_equal(atomic_load_explicit(&shared->wrong, memory_order_relaxed), 0);
    pthread_cond_destroy(&shared->more);
    pthread_mutex_destroy(&shared->lock);
    mem_state_free(shared);
}

static void *thread_main(void *argument) {
    struct shared *shared = argument;
    mem_thread *t = mem_attach();
    shared->work(t, shared);
    mem_detach(t);
    count(&shared->done, true);
    return NULL;
}
static void start(pthread_t *ids, uint32_t threads, struct shared *shared) {
    for (uint32_t i = 0; i < threads; i++)
        assert_int_equal(pthread_create(&ids[i], NULL, thread_main, shared), 0);
}
static void join(const pthread_t *ids, uint32_t threads) {
    mem_block(self);
    for (uint32_t i = 0; i < threads; i++)
        pthread_join(ids[i], NULL);
    mem_unblock(self);
}

/* A scope that threads use in turn: each pushes to and pops from one list under the lock. */
static void take_turns(mem_thread *t, struct shared *shared) {
    for (uint64_t i = 0; i < TURNS; i++) {
        scenario_lock(t, &shared->lock);
        mem_scope *s = shared->scope;
        mem_scope_enter(t, s);
        struct node *head = shared->object;
        for (uint64_t k = 0; k <= i % 3; k++) {
            struct node *node = node_new(t, s, i);
            mem_set(t, s, node, &node->next, &node_type, mem_take(t, head, &head->next));
            mem_set(t, s, head, &head->next, &node_type, node);
        }
        struct node *node = mem_take(t, head, &head->next);
        count(&shared->wrong, node->value != i);
        mem_set(t, s, head, &head->next, &node_type, mem_take(t, node, &node->next));
        mem_drop(t, s, &node_type, node);
        mem_scope_leave(t, s);
        pthread_mutex_unlock(&shared->lock);
        mem_safepoint(t);
    }
}
static void test_threads_use_a_scope_in_turn(void **state) {
    (void)state;
    NEEDS(MEM_HANDOFF);
    struct shared *shared = shared_new(take_turns);
    mem_scope *s = shared->scope = mem_scope_begin(self);
    struct node *head = shared->object = node_new(self, s, 0);
    mem_scope_leave(self, s);
    pthread_t ids[2];
    start(ids, 2, shared);
    join(ids, 2);
    mem_scope_enter(self, s);
    uint64_t length = 0;
    for (struct node *node = mem_get(&head->next); node; node = mem_get(&node->next))
        length++;
    assert_int_equal(length, 2 * TURNS);
    mem_drop(self, s, &node_type, head);
    mem_scope_end(self, s);
    shared_free(shared);
}

static void wait_until_sent(mem_thread *t, struct shared *shared, uint32_t least) {
    mem_block(t);
    pthread_mutex_lock(&shared->lock);
    while (shared->sent < least)
        pthread_cond_wait(&shared->more, &shared->lock);
    pthread_mutex_unlock(&shared->lock);
    mem_unblock(t);
}
static void tell_sent(mem_thread *t, struct shared *shared, uint32_t sent) {
    scenario_lock(t, &shared->lock);
    shared->sent = sent;
    pthread_cond_broadcast(&shared->more);
    pthread_mutex_unlock(&shared->lock);
}

/* Each receiver takes every parcel, in order, as they are sent. */
static void receive_all(mem_thread *t, struct shared *shared) {
    for (uint32_t i = 0; i < PARCELS; i++) {
        wait_until_sent(t, shared, i + 1);
        mem_scope *s;
        struct node *list = mem_receive(t, &shared->parcels[i], &s);
        uint64_t length = 0;
        for (struct node *node = list; node; node = mem_get(&node->next))
            length += node->value == i;
        count(&shared->wrong, length != i % 40);
        mem_drop(t, s, &node_type, list);
        mem_scope_end(t, s);
    }
}
static void send_all(uint32_t receivers) {
    struct shared *shared = shared_new(receive_all);
    pthread_t ids[THREADS_MAX];
    start(ids, receivers, shared);
    for (uint32_t i = 0; i < PARCELS; i++) {
        mem_scope *s = mem_scope_begin(self);
        struct node *list = list_new(self, s, i % 40);
        for (struct node *node = list; node; node = mem_get(&node->next))
            node->value = i;
        shared->parcels[i] = mem_send(self, s, &node_type, list, receivers);
        tell_sent(self, shared, i + 1);
        mem_safepoint(self);
    }
    join(ids, receivers);
    shared_free(shared);
}
static void test_a_scope_is_sent_to_one(void **state) {
    (void)state;
    NEEDS(MEM_HANDOFF);
    send_all(1);
}
static void test_a_scope_is_sent_to_many(void **state) {
    (void)state;
    NEEDS(MEM_HANDOFF);
    NEEDS(MEM_SHARED);
    send_all(THREADS_MAX);
}

/* The main thread keeps the blob once for each thread, which drops that reference in the end. */
static void keep_and_drop(mem_thread *t, struct shared *shared) {
    struct blob *blob = shared->object;
    for (uint64_t i = 0; i < TURNS; i++) {
        struct blob *kept = mem_keep(t, &blob_type, blob);
        count(&shared->wrong, !blob_is_right(kept, 9, 50, 50));
        scenario_lock(t, &shared->lock);
        mem_scope_enter(t, shared->scope);
        mem_drop(t, shared->scope, &blob_type, i + 1 < TURNS ? kept : blob);
        mem_scope_leave(t, shared->scope);
        pthread_mutex_unlock(&shared->lock);
        mem_safepoint(t);
        if (i + 1 == TURNS) { /* one reference is left: the kept one */
            count(&shared->wrong, !blob_is_right(kept, 9, 50, 50));
            scenario_lock(t, &shared->lock);
            mem_scope_enter(t, shared->scope);
            mem_drop(t, shared->scope, &blob_type, kept);
            mem_scope_leave(t, shared->scope);
            pthread_mutex_unlock(&shared->lock);
        }
    }
}
static void test_threads_keep_and_drop(void **state) {
    (void)state;
    NEEDS(MEM_SHARED);
    struct shared *shared = shared_new(keep_and_drop);
    mem_scope *s = shared->scope = mem_scope_begin(self);
    struct blob *blob = shared->object = blob_new(self, s, 9, 50);
    for (uint32_t i = 0; i < THREADS_MAX; i++)
        assert_ptr_equal(mem_keep(self, &blob_type, blob), blob);
    mem_drop(self, s, &blob_type, blob);
    mem_scope_leave(self, s);
    pthread_t ids[THREADS_MAX];
    start(ids, THREADS_MAX, shared);
    join(ids, THREADS_MAX);
    mem_scope_enter(self, s);
    mem_scope_end(self, s);
    shared_free(shared);
}

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

/* A thread in block keeps its references while others make garbage. */
static void make_garbage(mem_thread *t, struct shared *shared) {
    for (uint64_t i = 0; i < shared->expected; i++) {
        mem_scope *s = mem_scope_begin(t);
        struct blob *blob = blob_new(t, s, i, 1000);
        count(&shared->wrong, !blob_is_right(blob, i, 1000, 1000));
        mem_drop(t, s, &blob_type, blob);
        mem_scope_end(t, s);
    }
}
static void test_a_blocked_thread_keeps_its_objects(void **state) {
    (void)state;
    struct shared *shared = shared_new(make_garbage);
    shared->expected = 30000;
    mem_scope *s = mem_scope_begin(self);
    struct blob *blob = blob_new(self, s, 1, 5000);
    struct node *list = list_new(self, s, 1000);
    pthread_t ids[2];
    start(ids, 2, shared);
    join(ids, 2);
    assert_true(blob_is_right(blob, 1, 5000, 5000));
    uint64_t sum = 0;
    for (struct node *node = list; node; node = mem_get(&node->next))
        sum += node->value;
    assert_int_equal(sum, 999 * 500);
    mem_drop(self, s, &node_type, list);
    mem_drop(self, s, &blob_type, blob);
    mem_scope_end(self, s);
    shared_free(shared);
}

/* Drops what the main thread kept for it, while that goes on without a safepoint. */
static void drop_share(mem_thread *t, struct shared *shared) {
    mem_scope_enter(t, shared->scope);
    mem_drop(t, shared->scope, &blob_type, shared->object);
    mem_scope_leave(t, shared->scope);
    /* release: pairs with the acquire of the main thread, which then uses the scope */
    atomic_store_explicit(&shared->dropped, true, memory_order_release);
}
static void test_what_was_shared_grows(void **state) {
    (void)state;
    NEEDS(MEM_SHARED);
    NEEDS(MEM_HANDOFF);
    NEEDS(MEM_RESIZE);
    struct shared *shared = shared_new(drop_share);
    mem_scope *s = shared->scope = mem_scope_begin(self);
    struct blob *blob = shared->object = blob_new(self, s, 3, 50);
    mem_keep(self, &blob_type, blob);
    mem_scope_leave(self, s);
    pthread_t id;
    start(&id, 1, shared);
    while (!atomic_load_explicit(&shared->dropped, memory_order_acquire))
        sched_yield();
    mem_scope_enter(self, s);
    shared->object = NULL;
    blob = mem_resize(self, s, &blob_type, blob, 50, 5000);
    assert_true(blob_is_right(blob, 3, 50, 50));
    join(&id, 1);
    assert_true(blob_is_right(blob, 3, 50, 50));
    mem_drop(self, s, &blob_type, blob);
    mem_scope_end(self, s);
    shared_free(shared);
}

/* Long lists by threads that are gone when they are dropped. */
static void leave_list(mem_thread *t, struct shared *shared) {
    scenario_lock(t, &shared->lock);
    mem_scope_enter(t, shared->scope);
    struct node *root = shared->object, *list = list_new(t, shared->scope, LEFT_LENGTH);
    struct node *holder = node_new(t, shared->scope, 0);
    mem_set(t, shared->scope, holder, &holder->left, &node_type, list);
    mem_set(t, shared->scope, holder, &holder->next, &node_type, mem_take(t, root, &root->next));
    mem_set(t, shared->scope, root, &root->next, &node_type, holder);
    mem_scope_leave(t, shared->scope);
    pthread_mutex_unlock(&shared->lock);
}
static void test_objects_outlive_their_thread(void **state) {
    (void)state;
    NEEDS(MEM_HANDOFF);
    struct shared *shared = shared_new(leave_list);
    mem_scope *s = shared->scope = mem_scope_begin(self);
    struct node *root = shared->object = node_new(self, s, 0);
    mem_scope_leave(self, s);
    pthread_t ids[THREADS_MAX];
    start(ids, THREADS_MAX, shared);
    join(ids, THREADS_MAX);
    mem_scope_enter(self, s);
    shared->object = NULL;
    uint64_t length = 0;
    for (struct node *holder = mem_get(&root->next); holder; holder = mem_get(&holder->next))
        for (struct node *node = mem_get(&holder->left); node; node = mem_get(&node->next))
            length++;
    assert_int_equal(length, THREADS_MAX * LEFT_LENGTH);
    mem_drop(self, s, &node_type, root);
    mem_scope_end(self, s);
    shared_free(shared);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads_use_a_scope_in_turn),
        cmocka_unit_test(test_a_scope_is_sent_to_one),
        cmocka_unit_test(test_a_scope_is_sent_to_many),
        cmocka_unit_test(test_threads_keep_and_drop),
        cmocka_unit_test(test_slots_are_read_while_replaced),
        cmocka_unit_test(test_many_reads_are_open_while_replaced),
        cmocka_unit_test(test_reads_stay_open_over_many_swaps),
        cmocka_unit_test(test_a_blocked_thread_keeps_its_objects),
        cmocka_unit_test(test_what_was_shared_grows),
        cmocka_unit_test(test_objects_outlive_their_thread),
    };
    return cmocka_run_group_tests(tests, contract_setup, contract_teardown);
}
