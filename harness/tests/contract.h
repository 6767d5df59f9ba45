/* SPDX-License-Identifier: MIT */
/* contract.h - types and helpers of the contract tests, which are compiled once for each strategy.
 *
 * Compile with -DMEM_STRATEGY_HEADER='"memory/strategy_X.h"' -DMEM_STRATEGY_ID=X.
 */
#ifndef TAILRACE_TESTS_CONTRACT_H
#define TAILRACE_TESTS_CONTRACT_H

#include "tests/cmocka_all.h"
#include "tests/host_stub.h"

#include "memory/scenario.h"

#include <signal.h>
#include <unistd.h>

#define BLOB_BYTES_MAX 100000
#define TABLE_EDGES_MAX 4096

struct blob {
    uint64_t bytes;
    unsigned char data[];
};
struct node {
    uint64_t value;
    mem_ref left, next;
};
struct table {
    uint32_t count, unused;
    mem_ref first;
};
struct pair {
    uint64_t value, complement;
};
struct board {
    uint64_t value;
    mem_slot slot;
};
struct wall {
    mem_slot slot;
};
static const mem_type blob_type = {
    .name = "blob", .size = sizeof(struct blob), .trailing_max = BLOB_BYTES_MAX};
static const mem_type node_type;
static const mem_edge node_edges[] = {{offsetof(struct node, left), MEM_OWNED, &node_type},
                                      {offsetof(struct node, next), MEM_OWNED, &node_type}};
static const mem_type node_type = {
    .name = "node", .id = 1, .size = sizeof(struct node), .edge_count = 2, .edges = node_edges};
static const mem_edge table_edges[] = {{offsetof(struct table, first), MEM_BORROWED, &node_type}};
static const mem_edge table_trailing = {0, MEM_OWNED, &node_type};
static const mem_type table_type = {.name = "table",
                                    .id = 2,
                                    .size = sizeof(struct table),
                                    .trailing_max = TABLE_EDGES_MAX * sizeof(mem_ref),
                                    .edge_count = 1,
                                    .edges = table_edges,
                                    .trailing_edge = &table_trailing,
                                    .count_offset = offsetof(struct table, count)};
static const mem_type pair_type = {.name = "pair", .id = 3, .size = sizeof(struct pair)};
static const mem_edge board_edges[] = {{offsetof(struct board, slot), MEM_SLOT, &pair_type}};
static const mem_type board_type = {
    .name = "board", .id = 4, .size = sizeof(struct board), .edge_count = 1, .edges = board_edges};
static const mem_edge wall_edges[] = {{offsetof(struct wall, slot), MEM_SLOT, &board_type}};
static const mem_type wall_type = {
    .name = "wall", .id = 5, .size = sizeof(struct wall), .edge_count = 1, .edges = wall_edges};

static mem_thread *self; /* the main thread's */

/* The collector's stack scan does not see ASan's copies of stack frames on the heap. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) {
    return "detect_stack_use_after_return=0";
}

/* Asked by LeakSanitizer at the end: some strategies leak by design. */
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void) {
    return (MEM_PROVIDES & MEM_LEAKS) != 0;
}

/* cmocka's calls, by which it would catch faults: libgc's generational mode lives by its own
 * handler, and a sanitizer tells more. */
sighandler_t signal(int number, sighandler_t handler) {
    (void)number, (void)handler;
    return SIG_DFL;
}

#define NEEDS(need)                                                                                \
    do {                                                                                           \
        if (!(MEM_PROVIDES & (need))) {                                                            \
            print_message("skipped: the strategy does not provide " #need "\n");                   \
            skip();                                                                                \
        }                                                                                          \
    } while (0)

#define NEEDS_REUSE                                                                                \
    do {                                                                                           \
        if (MEM_PROVIDES & MEM_LEAKS || strstr(MEM_STRATEGY_HEADER, "audit")) {                    \
            print_message("skipped: the strategy never uses an address twice\n");                  \
            skip();                                                                                \
        }                                                                                          \
    } while (0)

/* Of /proc/self/statm, by its number there. */
static inline size_t statm_bytes(int field) {
    long pages[6] = {0};
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    for (int i = 0; i < 6; i++)
        assert_int_equal(fscanf(file, "%ld", &pages[i]), 1);
    fclose(file);
    return (size_t)pages[field] * (size_t)sysconf(_SC_PAGESIZE);
}
static inline size_t rss_bytes(void) {
    return statm_bytes(1);
}
static inline size_t data_bytes(void) { /* what RLIMIT_DATA limits */
    return statm_bytes(5);
}

/* Blobs whose bytes follow from their number. */
static inline struct blob *blob_new(mem_thread *t, mem_scope *s, uint64_t i, size_t bytes) {
    struct blob *blob = mem_new(t, s, &blob_type, bytes);
    blob->bytes = bytes;
    for (size_t k = 0; k < bytes; k++)
        blob->data[k] = (unsigned char)(i * 31 + k);
    return blob;
}
static inline bool blob_is_right(const struct blob *blob, uint64_t i, size_t bytes,
                                 size_t checked) {
    bool right = blob->bytes == bytes;
    for (size_t k = 0; k < checked; k++)
        right &= blob->data[k] == (unsigned char)(i * 31 + k);
    return right;
}

static inline struct node *node_new(mem_thread *t, mem_scope *s, uint64_t value) {
    struct node *node = mem_new(t, s, &node_type, 0);
    node->value = value;
    return node;
}
static inline struct node *list_new(mem_thread *t, mem_scope *s, uint64_t length) {
    struct node *list = NULL;
    for (uint64_t i = 0; i < length; i++) {
        struct node *node = node_new(t, s, i);
        mem_set(t, s, node, &node->next, &node_type, list);
        list = node;
    }
    return list;
}

static int contract_setup(void **state) {
    (void)state;
    if (MEM_PROVIDES & MEM_SIGNALS && strcmp(TAILRACE_SANITIZER, "ThreadSanitizer") == 0) {
        puts("skipped: ThreadSanitizer defers the signals by which the strategy stops threads");
        exit(77); /* ctest: SKIP_RETURN_CODE */
    }
    mem_init();
    self = mem_attach();
    return 0;
}
static int contract_teardown(void **state) {
    (void)state;
    mem_detach(self);
    mem_fini();
    return 0;
}

#endif
