/* SPDX-License-Identifier: MIT */
/* test_audit_trace.c - mistakes that only a trace of plain loads and stores can see.
 *
 * Compiled by clang with -fsanitize-coverage=func,trace-loads,trace-stores and
 * -DTAILRACE_AUDIT_TRACE=1, linked with memory/audit_trace.c.
 */
#include "tests/audit_child.h"

static volatile uint64_t sink; /* so that loads are made */

static void reads_the_dropped(mem_thread *t, mem_scope *s) {
    struct node *node = node_new(t, s);
    mem_drop(t, s, &node_type, node);
    sink = node->value;
}
static void writes_the_dropped(mem_thread *t, mem_scope *s) {
    struct node *node = node_new(t, s);
    mem_drop(t, s, &node_type, node);
    *(volatile uint64_t *)&node->value = 2;
}
static void reads_after_the_end(mem_thread *t, mem_scope *s) {
    struct node *node = node_new(t, s);
    mem_set(t, s, node, &node->next, &node_type, mem_keep(t, &node_type, node));
    mem_drop(t, s, &node_type, node);
    mem_scope_end(t, s);
    sink = node->value;
}
static void reads_in_block(mem_thread *t, mem_scope *s) {
    struct node *node = node_new(t, s);
    mem_block(t);
    sink = node->value;
    mem_unblock(t);
}
static void writes_in_block(mem_thread *t, mem_scope *s) {
    struct node *node = node_new(t, s);
    mem_block(t);
    *(volatile uint64_t *)&node->value = 2;
    mem_unblock(t);
}
static void reads_an_edge_in_block(mem_thread *t, mem_scope *s) {
    struct node *node = node_new(t, s);
    mem_block(t);
    sink = (uintptr_t)mem_get(&node->next);
    mem_unblock(t);
}
static void reads_beyond(mem_thread *t, mem_scope *s) {
    struct node *node = node_new(t, s);
    sink = ((volatile uint64_t *)node)[sizeof *node / 8];
}
static void read_there(mem_thread *t, struct elsewhere *with) {
    (void)t;
    sink = ((volatile struct node *)with->object)->value;
}
static void reads_as_no_user(mem_thread *t, mem_scope *s) {
    elsewhere((struct elsewhere){.run = read_there, .object = node_new(t, s)});
}
static void reads_after_sending(mem_thread *t, mem_scope *s) {
    struct node *node = node_new(t, s);
    mem_send(t, s, &node_type, node, 1);
    sink = node->value;
}
static void *read_unattached(void *object) {
    sink = ((volatile struct node *)object)->value;
    return NULL;
}
static void reads_unattached(mem_thread *t, mem_scope *s) {
    pthread_t id;
    pthread_create(&id, NULL, read_unattached, node_new(t, s));
    pthread_join(id, NULL);
}

/* Kept objects and what slots hold are read by threads that are not the scope's user. */
static void read_slot_there(mem_thread *t, struct elsewhere *with) {
    struct node *node = mem_slot_read(t, &((struct board *)with->object)->slot);
    sink = node->value;
    mem_block(t);
    mem_unblock(t);
    mem_slot_read_end(t, &node_type, node);
}
static void makes_no_mistake(mem_thread *t, mem_scope *s) {
    struct node *node = node_new(t, s), *next = node_new(t, s);
    mem_set(t, s, node, &node->next, &node_type, next);
    mem_link(&node->peer, next);
    sink = next->value + ((struct node *)mem_get(&node->peer))->value;
    mem_block(t);
    mem_unblock(t);
    mem_keep(t, &node_type, node);
    elsewhere((struct elsewhere){.run = read_there, .object = node});
    mem_drop(t, s, &node_type, node);
    struct blob *blob = mem_new(t, s, &blob_type, 8);
    blob->value = 3;
    blob = mem_resize(t, s, &blob_type, blob, 8, 64);
    sink = blob->value + blob->count;
    mem_drop(t, s, &blob_type, blob);
    mem_drop(t, s, &node_type, node);
    mem_scope_end(t, s);

    s = mem_scope_begin(t);
    struct board *board = mem_new(t, s, &board_type, 0);
    mem_slot_swap(t, s, board, &board->slot, &node_type, node_new(t, s));
    elsewhere((struct elsewhere){.run = read_slot_there, .object = board});
    mem_drop(t, s, &board_type, board);
    mem_scope_end(t, s);
}

#define PROGRAM(run, words)                                                                        \
    { #run, run, 0, words }
static const struct program programs[] = {
    PROGRAM(makes_no_mistake, NULL),
    PROGRAM(reads_the_dropped, "node was read after it was dropped"),
    PROGRAM(writes_the_dropped, "node was written after it was dropped"),
    PROGRAM(reads_after_the_end, "node was read after it was dropped"),
    PROGRAM(reads_in_block, "node was read while the thread is in block"),
    PROGRAM(writes_in_block, "node was written while the thread is in block"),
    PROGRAM(reads_an_edge_in_block, "node was read while the thread is in block"),
    PROGRAM(reads_beyond, "memory beside the objects was read"),
    PROGRAM(reads_as_no_user, "by a thread that is not its scope's user"),
    PROGRAM(reads_after_sending, "by a thread that is not its scope's user"),
    PROGRAM(reads_unattached, "by a thread that is not attached"),
};

static void test_trace_tells_of_each_mistake(void **state) {
    (void)state;
    check_programs(programs, sizeof programs / sizeof *programs);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_trace_tells_of_each_mistake)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
