/* SPDX-License-Identifier: MIT */
/* test_contract.c - what mem.h promises to one thread, for the strategy that this is compiled for.
 *
 * A test of what the strategy does not provide is skipped with its reason. Threads: see
 * test_contract_threads.c.
 */
#include "tests/contract.h"

#include <sys/resource.h>

#define BLOBS 400
#define LIST_LENGTH 200000
#define DROPS 1000000
#define TRIES 10000 /* of BLOB_BYTES_MAX each */

static mem_ref *slots_of(struct table *table) {
    return mem_trailing(&table_type, table);
}

static size_t blob_size(uint64_t i) {
    return i % 50 == 49 ? BLOB_BYTES_MAX : i * i % 3001;
}
static struct node *tree_new(mem_thread *t, mem_scope *s, uint64_t depth) {
    struct node *node = node_new(t, s, depth);
    if (depth > 0) {
        mem_set(t, s, node, &node->left, &node_type, tree_new(t, s, depth - 1));
        mem_set(t, s, node, &node->next, &node_type, tree_new(t, s, depth - 1));
    }
    return node;
}

/* Memory that is dropped dirty, so that the next objects do not find zeros by luck. */
static void make_dirt(mem_thread *t, uint64_t count) {
    mem_scope *s = mem_scope_begin(t);
    for (uint64_t i = 0; i < count; i++)
        mem_drop(t, s, &blob_type, blob_new(t, s, i + 7, i % 2 ? 1000 : 16));
    mem_scope_end(t, s);
}

static void test_new_objects_have_null_edges(void **state) {
    (void)state;
    make_dirt(self, 1000);
    mem_scope *s = mem_scope_begin(self);
    for (uint32_t i = 0; i < 200; i++) {
        struct node *node = mem_new(self, s, &node_type, 0);
        assert_null(mem_get(&node->left));
        assert_null(mem_get(&node->next));
        struct table *table = mem_new(self, s, &table_type, i * sizeof(mem_ref));
        assert_int_equal(table->count, i);
        assert_null(mem_get(&table->first));
        for (uint32_t k = 0; k < i; k++)
            assert_null(mem_get(&slots_of(table)[k]));
        mem_drop(self, s, &table_type, table);
        mem_drop(self, s, &node_type, node);
    }
    mem_drop(self, s, &node_type, NULL);
    mem_scope_end(self, s);
}

static void test_objects_keep_their_content(void **state) {
    (void)state;
    mem_ref *blobs = mem_state_new(BLOBS * sizeof *blobs);
    mem_scope *s = mem_scope_begin(self);
    for (uint64_t i = 0; i < BLOBS; i++) {
        blobs[i] = blob_new(self, s, i, blob_size(i));
        assert_int_equal((uintptr_t)blobs[i] % 8, 0);
    }
    for (uint64_t i = 0; i < BLOBS; i += 2) { /* others move into what these leave */
        mem_drop(self, s, &blob_type, blobs[i]);
        blobs[i] = mem_try_new(self, s, &blob_type, blob_size(i));
        assert_non_null(blobs[i]);
        struct blob *blob = blobs[i];
        blob->bytes = blob_size(i);
        memset(blob->data, 0, blob_size(i));
    }
    for (uint64_t i = 1; i < BLOBS; i += 2)
        assert_true(blob_is_right(blobs[i], i, blob_size(i), blob_size(i)));
    for (uint64_t i = 0; i < BLOBS; i++)
        mem_drop(self, s, &blob_type, blobs[i]);
    mem_scope_end(self, s);
    mem_state_free(blobs);
}

static void test_resize_keeps_content(void **state) {
    (void)state;
    NEEDS(MEM_RESIZE);
    static const size_t steps[] = {0,     1,   9, 40, 39, 500, 5000, 60000, BLOB_BYTES_MAX,
                                   70000, 300, 0};
    mem_scope *s = mem_scope_begin(self);
    for (int neighbour = 0; neighbour < 2;
         neighbour++) { /* which may keep it from growing in place */
        struct blob *blob = blob_new(self, s, 5, 0);
        for (size_t i = 1; i < sizeof steps / sizeof *steps; i++) {
            struct blob *behind = neighbour ? blob_new(self, s, i, 24) : NULL;
            blob = mem_resize(self, s, &blob_type, blob, steps[i - 1], steps[i]);
            size_t kept = steps[i] < steps[i - 1] ? steps[i] : steps[i - 1];
            assert_true(blob_is_right(blob, 5, steps[i - 1], kept));
            blob->bytes = steps[i];
            for (size_t k = 0; k < steps[i]; k++)
                blob->data[k] = (unsigned char)(5 * 31 + k);
            assert_true(!behind || blob_is_right(behind, i, 24, 24));
            mem_drop(self, s, &blob_type, behind);
        }
        mem_drop(self, s, &blob_type, blob);
    }
    mem_scope_end(self, s);
}

static void test_resize_clears_new_edges(void **state) {
    (void)state;
    NEEDS(MEM_RESIZE);
    make_dirt(self, 1000);
    mem_scope *s = mem_scope_begin(self);
    struct table *table = mem_new(self, s, &table_type, 0);
    for (uint32_t old = 0, count = 1; count <= TABLE_EDGES_MAX; old = count, count *= 2) {
        table =
            mem_resize(self, s, &table_type, table, old * sizeof(mem_ref), count * sizeof(mem_ref));
        assert_int_equal(table->count, count);
        for (uint32_t i = 0; i < count; i++)
            assert_true(i < old ? ((struct node *)mem_get(&slots_of(table)[i]))->value == i
                                : !mem_get(&slots_of(table)[i]));
        for (uint32_t i = old; i < count; i++)
            mem_set(self, s, table, &slots_of(table)[i], &node_type, node_new(self, s, i));
    }
    for (uint32_t i = 3; i < TABLE_EDGES_MAX; i++)
        mem_drop(self, s, &node_type, mem_take(self, table, &slots_of(table)[i]));
    table = mem_resize(self, s, &table_type, table, TABLE_EDGES_MAX * sizeof(mem_ref),
                       3 * sizeof(mem_ref));
    assert_int_equal(table->count, 3);
    assert_int_equal(((struct node *)mem_get(&slots_of(table)[2]))->value, 2);
    mem_drop(self, s, &table_type, table);
    mem_scope_end(self, s);
}

static void test_set_and_take(void **state) {
    (void)state;
    mem_scope *s = mem_scope_begin(self);
    struct node *owner = node_new(self, s, 0);
    mem_set(self, s, owner, &owner->next, &node_type, node_new(self, s, 1));
    mem_set(self, s, owner, &owner->next, &node_type, node_new(self, s, 2));
    mem_set(self, s, owner, &owner->left, &node_type, node_new(self, s, 3));
    assert_int_equal(((struct node *)mem_get(&owner->next))->value, 2);
    struct node *taken = mem_take(self, owner, &owner->next);
    assert_int_equal(taken->value, 2);
    assert_null(mem_get(&owner->next));
    assert_null(mem_take(self, owner, &owner->next));
    mem_set(self, s, owner, &owner->left, &node_type, NULL);
    assert_null(mem_get(&owner->left));
    mem_drop(self, s, &node_type, owner);
    assert_int_equal(taken->value, 2);
    mem_drop(self, s, &node_type, taken);
    mem_scope_end(self, s);
}

static void test_drop_of_what_is_owned(void **state) {
    (void)state;
    mem_scope *s = mem_scope_begin(self);
    mem_drop(self, s, &node_type, list_new(self, s, LIST_LENGTH));
    mem_drop(self, s, &node_type, tree_new(self, s, 12));
    struct table *table = mem_new(self, s, &table_type, 1000 * sizeof(mem_ref));
    for (uint32_t i = 0; i < 1000; i++)
        mem_set(self, s, table, &slots_of(table)[i], &node_type, list_new(self, s, i % 7));
    mem_link(&table->first, mem_get(&slots_of(table)[1]));
    mem_drop(self, s, &table_type, table);
    mem_scope_end(self, s);
}

static void test_rings_go_with_their_scope(void **state) {
    (void)state;
    NEEDS(MEM_CYCLES);
    for (int i = 0; i < 1000; i++) {
        mem_scope *s = mem_scope_begin(self);
        struct node *a = node_new(self, s, 1), *b = node_new(self, s, 2);
        mem_set(self, s, b, &b->next, &node_type, a);
        mem_set(self, s, a, &a->next, &node_type, b);
        mem_scope_end(self, s);
    }
}

static void test_scopes_come_and_go(void **state) {
    (void)state;
    for (uint64_t i = 0; i < 50000; i++) {
        mem_scope *s = mem_scope_begin(self);
        struct blob *blob = blob_new(self, s, i, i % 200);
        struct node *list = list_new(self, s, i % 5);
        assert_true(blob_is_right(blob, i, i % 200, i % 200));
        mem_drop(self, s, &node_type, list);
        mem_drop(self, s, &blob_type, blob);
        mem_scope_end(self, s);
    }
}

static void nest(uint64_t depth) {
    mem_scope *s = mem_scope_begin(self);
    struct blob *blob = blob_new(self, s, depth, 300);
    if (depth > 0)
        nest(depth - 1);
    struct node *list = list_new(self, s, 20);
    assert_true(blob_is_right(blob, depth, 300, 300));
    mem_drop(self, s, &node_type, list);
    mem_drop(self, s, &blob_type, blob);
    mem_scope_end(self, s);
}
static void test_scopes_nest(void **state) {
    (void)state;
    nest(100);
}

/* Each ends with much in it, of which the next takes over some. */
static void test_large_scopes_come_and_go(void **state) {
    (void)state;
    mem_ref *blobs = mem_state_new(BLOBS * sizeof *blobs);
    for (uint64_t round = 0; round < 20; round++) {
        mem_scope *s = mem_scope_begin(self);
        for (uint64_t i = 0; i < BLOBS; i++)
            blobs[i] = blob_new(self, s, i + round, blob_size(i + round));
        for (uint64_t i = 0; i < BLOBS; i++) {
            size_t bytes = blob_size(i + round);
            assert_true(blob_is_right(blobs[i], i + round, bytes, bytes));
            mem_drop(self, s, &blob_type, blobs[i]);
        }
        mem_scope_end(self, s);
    }
    mem_state_free(blobs);
}

static void test_try_new_gives_null_without_memory(void **state) {
    (void)state;
    if (strstr(MEM_STRATEGY_HEADER, "boehm") || strstr(MEM_STRATEGY_HEADER, "none") ||
        strstr(MEM_STRATEGY_HEADER, "audit") || strstr(MEM_STRATEGY_HEADER, "glib") ||
        TAILRACE_SANITIZER[0] != '\0') {
        print_message("skipped: ends the run instead, or memory does not end by RLIMIT_DATA\n");
        skip();
    }
    struct rlimit before, limit;
    mem_ref *blobs = mem_state_new(TRIES * sizeof *blobs);
    mem_scope *s = mem_scope_begin(self);
    assert_int_equal(getrlimit(RLIMIT_DATA, &before), 0);
    limit = before;
    limit.rlim_cur = data_bytes() + ((size_t)16 << 20);
    assert_int_equal(setrlimit(RLIMIT_DATA, &limit), 0);
    uint64_t made = 0;
    while (made < TRIES && (blobs[made] = mem_try_new(self, s, &blob_type, BLOB_BYTES_MAX)))
        made++;
    setrlimit(RLIMIT_DATA, &before);
    assert_in_range(made, 1, TRIES - 1);
    struct blob *blob = blob_new(self, s, 3, BLOB_BYTES_MAX);
    assert_true(blob_is_right(blob, 3, BLOB_BYTES_MAX, BLOB_BYTES_MAX));
    mem_drop(self, s, &blob_type, blob);
    while (made > 0)
        mem_drop(self, s, &blob_type, blobs[--made]);
    mem_scope_end(self, s);
    mem_state_free(blobs);
}

static void test_a_long_scope_reclaims(void **state) {
    (void)state;
    NEEDS(MEM_RECLAIM);
    NEEDS_REUSE;
    size_t before = rss_bytes();
    mem_scope *s = mem_scope_begin(self);
    for (uint64_t i = 0; i < DROPS; i++) {
        struct blob *blob = mem_new(self, s, &blob_type, 1000);
        blob->bytes = i;
        blob->data[999] = 1;
        mem_drop(self, s, &blob_type, blob);
        mem_safepoint(self);
    }
    mem_scope_end(self, s);
    assert_true(rss_bytes() < before + ((size_t)512 << 20)); /* of 1 GB; ASan holds back 256 MB */
}

/* Collectors get enough garbage to run many times while only state memory holds the blobs. */
static void test_state_memory_holds_references(void **state) {
    (void)state;
    mem_ref *blobs = mem_state_new(BLOBS * sizeof *blobs);
    for (uint64_t i = 0; i < BLOBS; i++)
        assert_null(blobs[i]);
    mem_scope *s = mem_scope_begin(self);
    for (uint64_t i = 0; i < BLOBS; i++)
        blobs[i] = blob_new(self, s, i, blob_size(i));
    for (uint64_t i = 0; i < 100; i++)
        make_dirt(self, 2000);
    for (uint64_t i = 0; i < BLOBS; i++) {
        assert_true(blob_is_right(blobs[i], i, blob_size(i), blob_size(i)));
        mem_drop(self, s, &blob_type, blobs[i]);
    }
    mem_scope_end(self, s);
    mem_state_free(blobs);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_new_objects_have_null_edges),
        cmocka_unit_test(test_objects_keep_their_content),
        cmocka_unit_test(test_resize_keeps_content),
        cmocka_unit_test(test_resize_clears_new_edges),
        cmocka_unit_test(test_set_and_take),
        cmocka_unit_test(test_drop_of_what_is_owned),
        cmocka_unit_test(test_rings_go_with_their_scope),
        cmocka_unit_test(test_scopes_come_and_go),
        cmocka_unit_test(test_scopes_nest),
        cmocka_unit_test(test_large_scopes_come_and_go),
        cmocka_unit_test(test_try_new_gives_null_without_memory),
        cmocka_unit_test(test_a_long_scope_reclaims),
        cmocka_unit_test(test_state_memory_holds_references),
    };
    return cmocka_run_group_tests(tests, contract_setup, contract_teardown);
}
