/* SPDX-License-Identifier: MIT */
/* test_audit.c - makes each mistake about lifetimes once and checks that audit tells of that one.
 */
#include "tests/audit_child.h"

#define HANDOVER_ROUNDS 50

/* Objects and their scope. */
static void forgets_a_drop(mem_thread *t, mem_scope *s) {
    node_new(t, s);
    mem_scope_end(t, s);
}
static void drops_twice(mem_thread *t, mem_scope *s) {
    struct node *node = node_new(t, s);
    mem_drop(t, s, &node_type, node);
    mem_drop(t, s, &node_type, node);
}
static void drops_after_the_end(mem_thread *t, mem_scope *s) {
    mem_scope *other = mem_scope_begin(t);
    struct node *node = node_new(t, s);
    mem_scope_end(t, other);
    mem_drop(t, other, &node_type, node);
}
static void drops_in_another_scope(mem_thread *t, mem_scope *s) {
    mem_drop(t, mem_scope_begin(t), &node_type, node_new(t, s));
}
static void drops_what_an_edge_owns(mem_thread *t, mem_scope *s) {
    struct node *owner = node_new(t, s), *node = node_new(t, s);
    mem_set(t, s, owner, &owner->next, &node_type, node);
    mem_drop(t, s, &node_type, node);
}
static void drops_as_another_type(mem_thread *t, mem_scope *s) {
    mem_drop(t, s, &blob_type, node_new(t, s));
}
static void drops_an_inner_address(mem_thread *t, mem_scope *s) {
    mem_drop(t, s, &node_type, &node_new(t, s)->next);
}
static void makes_in_an_ended_scope(mem_thread *t, mem_scope *s) {
    mem_scope_end(t, s);
    node_new(t, s);
}
static void makes_too_long(mem_thread *t, mem_scope *s) {
    mem_new(t, s, &blob_type, 72);
}
static void makes_two_types_of_one_id(mem_thread *t, mem_scope *s) {
    static const mem_type other = {.name = "other", .size = 8};
    node_new(t, s);
    mem_new(t, s, &other, 0);
}
static void keeps_the_dropped(mem_thread *t, mem_scope *s) {
    struct node *node = node_new(t, s);
    mem_drop(t, s, &node_type, node);
    mem_keep(t, &node_type, node);
}
static void writes_beyond(mem_thread *t, mem_scope *s) {
    struct node *node = node_new(t, s);
    memset(node, 0, sizeof *node + 1);
    mem_drop(t, s, &node_type, node);
}

/* Resize. */
static void resizes_from_another_length(mem_thread *t, mem_scope *s) {
    mem_resize(t, s, &blob_type, mem_new(t, s, &blob_type, 16), 8, 24);
}
static void resizes_the_shared(mem_thread *t, mem_scope *s) {
    mem_resize(t, s, &blob_type, mem_keep(t, &blob_type, mem_new(t, s, &blob_type, 16)), 16, 24);
}
static void resizes_off_an_edge(mem_thread *t, mem_scope *s) {
    struct blob *blob = mem_new(t, s, &blob_type, 16);
    mem_set(t, s, blob, &mem_trailing(&blob_type, blob)[1], &node_type, node_new(t, s));
    mem_resize(t, s, &blob_type, blob, 16, 8);
}
static void uses_the_address_before_resize(mem_thread *t, mem_scope *s) {
    struct blob *blob = mem_new(t, s, &blob_type, 8);
    mem_resize(t, s, &blob_type, blob, 8, 16);
    mem_drop(t, s, &blob_type, blob);
}
static void overwrites_the_count(mem_thread *t, mem_scope *s) {
    struct blob *blob = mem_new(t, s, &blob_type, 16);
    blob->count = 1;
    mem_drop(t, s, &blob_type, blob);
}

/* Edges. */
static void stores_an_owned_edge(mem_thread *t, mem_scope *s) {
    struct node *owner = node_new(t, s);
    mem_link(&owner->next, node_new(t, s));
    mem_drop(t, s, &node_type, owner);
}
static void sets_a_borrowed_edge(mem_thread *t, mem_scope *s) {
    struct node *owner = node_new(t, s);
    mem_set(t, s, owner, &owner->peer, &node_type, node_new(t, s));
}
static void sets_an_edge_of_a_dropped_owner(mem_thread *t, mem_scope *s) {
    struct node *owner = node_new(t, s);
    mem_drop(t, s, &node_type, owner);
    mem_set(t, s, owner, &owner->next, &node_type, NULL);
}
static void owns_twice(mem_thread *t, mem_scope *s) {
    struct node *owner = node_new(t, s), *other = node_new(t, s), *node = node_new(t, s);
    mem_set(t, s, owner, &owner->next, &node_type, node);
    mem_set(t, s, other, &other->next, &node_type, node);
}
static void owns_across_scopes(mem_thread *t, mem_scope *s) {
    struct node *owner = node_new(t, s);
    mem_set(t, s, owner, &owner->next, &node_type, node_new(t, mem_scope_begin(t)));
}
static void owns_another_type(mem_thread *t, mem_scope *s) {
    struct node *owner = node_new(t, s);
    mem_set(t, s, owner, &owner->left, &node_type, node_new(t, s));
}
static void makes_a_ring(mem_thread *t, mem_scope *s) {
    struct node *node = node_new(t, s);
    mem_set(t, s, node, &node->next, &node_type, mem_keep(t, &node_type, node));
    mem_drop(t, s, &node_type, node);
    mem_scope_end(t, s);
}

/* Scopes, their users, parcels. */
static void ends_twice(mem_thread *t, mem_scope *s) {
    mem_scope_end(t, s);
    mem_scope_end(t, s);
}
static void leaves_twice(mem_thread *t, mem_scope *s) {
    mem_scope_leave(t, s);
    mem_scope_leave(t, s);
}
static void never_ends(mem_thread *t, mem_scope *s) {
    mem_scope_leave(t, s);
}
static void detaches_as_user(mem_thread *t, mem_scope *s) {
    (void)t, (void)s;
}
static void make_there(mem_thread *t, struct elsewhere *with) {
    node_new(t, with->scope);
}
static void is_used_by_two_threads(mem_thread *t, mem_scope *s) {
    (void)t;
    elsewhere((struct elsewhere){.run = make_there, .scope = s});
}
static void enter_there(mem_thread *t, struct elsewhere *with) {
    mem_scope_enter(t, with->scope);
}
static void is_entered_while_used(mem_thread *t, mem_scope *s) {
    (void)t;
    elsewhere((struct elsewhere){.run = enter_there, .scope = s});
}
static void is_entered_by_another_thread(mem_thread *t, mem_scope *s) {
    mem_scope_leave(t, s);
    elsewhere((struct elsewhere){.run = enter_there, .scope = s});
}
static void receives_twice(mem_thread *t, mem_scope *s) {
    mem_parcel parcel = mem_send(t, s, &node_type, node_new(t, s), 1);
    mem_receive(t, &parcel, &s);
    mem_receive(t, &parcel, &s);
}
static void sends_to_nobody(mem_thread *t, mem_scope *s) {
    mem_send(t, s, &node_type, node_new(t, s), 1);
}
static void uses_after_sending(mem_thread *t, mem_scope *s) {
    mem_send(t, s, &node_type, NULL, 1);
    node_new(t, s);
}
static void changes_what_many_hold(mem_thread *t, mem_scope *s) {
    mem_parcel parcel = mem_send(t, s, &node_type, NULL, 2);
    mem_receive(t, &parcel, &s);
    node_new(t, s);
}

/* Threads and state memory. */
static void makes_in_block(mem_thread *t, mem_scope *s) {
    mem_block(t);
    node_new(t, s);
}
static void blocks_twice(mem_thread *t, mem_scope *s) {
    (void)s;
    mem_block(t);
    mem_block(t);
}
static void unblocks_twice(mem_thread *t, mem_scope *s) {
    (void)s;
    mem_unblock(t);
}
static void polls_in_block(mem_thread *t, mem_scope *s) {
    (void)s;
    mem_block(t);
    mem_safepoint(t);
}
static void ends_in_block(mem_thread *t, mem_scope *s) {
    mem_block(t);
    mem_scope_end(t, s);
}
static void use_first_thread(mem_thread *t, struct elsewhere *with) {
    (void)t;
    mem_safepoint(with->object);
}
static void uses_another_mem_thread(mem_thread *t, mem_scope *s) {
    (void)s;
    elsewhere((struct elsewhere){.run = use_first_thread, .object = t});
}
static void *attach_only(void *argument) {
    mem_attach();
    return argument;
}
static void never_detaches(mem_thread *t, mem_scope *s) {
    pthread_t id;
    mem_scope_end(t, s);
    pthread_create(&id, NULL, attach_only, NULL);
    pthread_join(id, NULL);
}
static void never_frees_state(mem_thread *t, mem_scope *s) {
    mem_state_new(8);
    mem_scope_end(t, s);
}
static void frees_no_state(mem_thread *t, mem_scope *s) {
    mem_state_free(node_new(t, s));
}

/* Slots. */
static struct board *board_new(mem_thread *t, mem_scope *s) {
    struct board *board = mem_new(t, s, &board_type, 0);
    mem_slot_swap(t, s, board, &board->slot, &node_type, node_new(t, s));
    return board;
}
static void reads_too_often(mem_thread *t, mem_scope *s) {
    struct board *board = board_new(t, s);
    for (int i = 0; i <= MEM_READS_MAX; i++)
        mem_slot_read(t, &board->slot);
}
static void end_read_there(mem_thread *t, struct elsewhere *with) {
    mem_slot_read_end(t, &node_type, with->object);
}
static void ends_anothers_read(mem_thread *t, mem_scope *s) {
    struct node *node = mem_slot_read(t, &board_new(t, s)->slot);
    elsewhere((struct elsewhere){.run = end_read_there, .object = node});
}
static void ends_the_scope_while_reading(mem_thread *t, mem_scope *s) {
    struct board *board = board_new(t, s);
    mem_slot_read(t, &board->slot);
    mem_drop(t, s, &board_type, board);
    mem_scope_end(t, s);
}
static void read_there(mem_thread *t, struct elsewhere *with) {
    mem_slot_read(t, &((struct board *)with->object)->slot);
}
static void detaches_while_reading(mem_thread *t, mem_scope *s) {
    elsewhere((struct elsewhere){.run = read_there, .object = board_new(t, s)});
}

/* A program that uses every call and makes no mistake. */
static void receive_there(mem_thread *t, struct elsewhere *with) {
    mem_scope *s;
    struct node *node = mem_receive(t, &with->parcel, &s);
    mem_block(t);
    mem_unblock(t);
    mem_drop(t, s, &node_type, node);
    mem_scope_end(t, s);
}
static void swap_while_read(mem_thread *t, mem_scope *s) {
    struct board *board = board_new(t, s);
    struct node *node = mem_slot_read(t, &board->slot);
    mem_slot_swap(t, s, board, &board->slot, &node_type, NULL);
    if (mem_slot_read(t, &board->slot) || node->value != 1)
        abort();
    mem_slot_read_end(t, &node_type, node);
    mem_drop(t, s, &board_type, board);
}
static void makes_no_mistake(mem_thread *t, mem_scope *s) {
    mem_ref *state = mem_state_new(sizeof *state);
    struct blob *blob = mem_try_new(t, s, &blob_type, 8);
    mem_set(t, s, blob, mem_trailing(&blob_type, blob), &node_type, node_new(t, s));
    blob = mem_resize(t, s, &blob_type, blob, 8, 64);
    struct node *node = mem_take(t, blob, mem_trailing(&blob_type, blob));
    mem_set(t, s, node, &node->left, &blob_type, blob);
    *state = mem_keep(t, &node_type, node);
    mem_drop(t, s, &node_type, node);
    mem_scope_leave(t, s);
    for (int i = 0; i < HANDOVER_ROUNDS; i++) {
        mem_scope *sent = mem_scope_begin(t);
        mem_parcel parcel = mem_send(t, sent, &node_type, node_new(t, sent), 2);
        elsewhere((struct elsewhere){.run = receive_there, .parcel = parcel});
        elsewhere((struct elsewhere){.run = receive_there, .parcel = parcel});
    }
    mem_scope_enter(t, s);
    swap_while_read(t, s);
    mem_drop(t, s, &node_type, *state);
    mem_state_free(state);
    mem_scope_end(t, s);
}

#define PROGRAM(run, lacks, words)                                                                 \
    { #run, run, lacks, words }
static const struct program programs[] = {
    PROGRAM(makes_no_mistake, 0, NULL),
    PROGRAM(forgets_a_drop, 0, "scope_end: node was never dropped"),
    PROGRAM(drops_twice, 0, "drop: node was dropped before"),
    PROGRAM(drops_after_the_end, 0, "drop: the scope has ended"),
    PROGRAM(drops_in_another_scope, 0, "drop: node belongs to another scope"),
    PROGRAM(drops_what_an_edge_owns, 0, "no reference to it, an edge owns it"),
    PROGRAM(drops_as_another_type, 0, "node is passed as a blob"),
    PROGRAM(drops_an_inner_address, 0, "is not an object's address"),
    PROGRAM(makes_in_an_ended_scope, 0, "new: the scope has ended"),
    PROGRAM(makes_too_long, 0, "72 trailing bytes for blob, whose maximum is 64"),
    PROGRAM(makes_two_types_of_one_id, 0, "types other and node have the same id"),
    PROGRAM(keeps_the_dropped, 0, "keep: node was dropped before"),
    PROGRAM(writes_beyond, 0, "node was written beyond its end"),
    PROGRAM(resizes_from_another_length, 0, "blob has 16 trailing bytes, not 8"),
    PROGRAM(resizes_the_shared, 0, "blob has references beside the caller's"),
    PROGRAM(resizes_off_an_edge, 0, "blob is cut short"),
    PROGRAM(uses_the_address_before_resize, 0, "drop: blob was dropped before"),
    PROGRAM(overwrites_the_count, 0, "number of its trailing edges was overwritten"),
    PROGRAM(stores_an_owned_edge, 0, "offset 24 was not written by set"),
    PROGRAM(sets_a_borrowed_edge, 0, "node has no OWNED edge there"),
    PROGRAM(sets_an_edge_of_a_dropped_owner, 0, "set: node was dropped before"),
    PROGRAM(owns_twice, 0, "set: node: the caller has no reference to it"),
    PROGRAM(owns_across_scopes, 0, "would own node of another scope"),
    PROGRAM(owns_another_type, 0, "node is passed as the type of an edge to blob"),
    PROGRAM(makes_a_ring, MEM_CYCLES, "node is left in a ring"),
    PROGRAM(ends_twice, 0, "scope_end: the scope has ended"),
    PROGRAM(leaves_twice, 0, "scope_leave: the thread is not the scope's user"),
    PROGRAM(never_ends, 0, "1 scopes were never ended"),
    PROGRAM(detaches_as_user, 0, "still the user of 1 scopes"),
    PROGRAM(is_used_by_two_threads, 0, "new: the thread is not the scope's user"),
    PROGRAM(is_entered_while_used, 0, "the scope has a user already"),
    PROGRAM(is_entered_by_another_thread, MEM_HANDOFF, "does not declare MEM_HANDOFF"),
    PROGRAM(receives_twice, 0, "received by all its receivers before"),
    PROGRAM(sends_to_nobody, 0, "1 scopes were never ended"),
    PROGRAM(uses_after_sending, 0, "new: the thread is not the scope's user"),
    PROGRAM(changes_what_many_hold, MEM_SHARED, "does not declare MEM_SHARED"),
    PROGRAM(changes_what_many_hold, 0, "new: the scope was sent to several receivers"),
    PROGRAM(makes_in_block, 0, "new: the thread is in block"),
    PROGRAM(blocks_twice, 0, "block: the thread is in block"),
    PROGRAM(unblocks_twice, 0, "unblock: the thread is not in block"),
    PROGRAM(polls_in_block, 0, "safepoint: the thread is in block"),
    PROGRAM(ends_in_block, 0, "scope_end: the thread is in block"),
    PROGRAM(uses_another_mem_thread, 0, "not that of the calling thread"),
    PROGRAM(never_detaches, 0, "was never detached"),
    PROGRAM(never_frees_state, 0, "state memory was never freed"),
    PROGRAM(frees_no_state, 0, "this is no state memory"),
    PROGRAM(reads_too_often, 0, "MEM_READS_MAX reads open"),
    PROGRAM(reads_too_often, MEM_SLOTS, "does not declare MEM_SLOTS"),
    PROGRAM(ends_anothers_read, 0, "the thread has no read of node open"),
    PROGRAM(ends_the_scope_while_reading, 0, "a slot read of node is still open"),
    PROGRAM(detaches_while_reading, 0, "detach: the thread has a slot read open"),
    PROGRAM(resizes_off_an_edge, MEM_RESIZE, "does not declare MEM_RESIZE"),
    PROGRAM(keeps_the_dropped, MEM_SHARED, "does not declare MEM_SHARED"),
};

static void test_audit_tells_of_each_mistake(void **state) {
    (void)state;
    check_programs(programs, sizeof programs / sizeof *programs);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_audit_tells_of_each_mistake)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
