/* SPDX-License-Identifier: MIT */
/* test_contract_threads.c - what mem.h promises to several threads, for one strategy.
 *
 * Nothing depends on time. Slots: see test_contract_slots.c.
 */
#include "tests/contract_threads.h"

#include <sched.h>

#define THREADS_MAX 4
#define TURNS 3000
#define LEFT_LENGTH 50000

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
    count(&shared->done, true); /* attached: from here on it waits for nobody */
    for (int i = 0; i < 20; i++)
        sched_yield();
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
    while (atomic_load_explicit(&shared->done, memory_order_relaxed) == 0)
        mem_safepoint(self); /* as to attach may wait for a collector */
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
        cmocka_unit_test(test_a_blocked_thread_keeps_its_objects),
        cmocka_unit_test(test_what_was_shared_grows),
        cmocka_unit_test(test_objects_outlive_their_thread),
    };
    return cmocka_run_group_tests(tests, contract_setup, contract_teardown);
}
