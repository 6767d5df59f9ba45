/* SPDX-License-Identifier: MIT */
/* test_heap_count.c - run under libtailrace-count.so (and a heap behind it): every call counts as
 * measure/heap_count.h says, and its memory is the heap's. */
#include "measure/heap_count.h"
#include "tests/cmocka_all.h"

#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define THREADS 4
#define ROUNDS 20000

static void (*read_count)(struct heap_count *count);
static struct heap_count last;
static volatile size_t most = SIZE_MAX / 2; /* hidden from the compiler, which would warn */

static void begin(void) {
    read_count(&last);
}
/* What came since begin. */
static void expect(uint64_t calls, uint64_t bytes, uint64_t frees) {
    struct heap_count now;
    read_count(&now);
    assert_int_equal(now.calls - last.calls, calls);
    assert_int_equal(now.bytes - last.bytes, bytes);
    assert_int_equal(now.frees - last.frees, frees);
}

/* The file whose malloc is counted. */
static const char *heap_behind(void) {
    void *(*served)(void), *own = dlsym(RTLD_DEFAULT, "tailrace_count_served");
    Dl_info heap;
    memcpy(&served, &own, sizeof served);
    assert_true(dladdr(served(), &heap));
    return heap.dli_fname;
}

/* One call of so many bytes, aligned, that the heap knows; gives it back. */
static void expect_one(void *memory, size_t bytes, size_t alignment) {
    expect(1, bytes, 0);
    assert_non_null(memory);
    assert_int_equal((uintptr_t)memory % alignment, 0);
    assert_true(malloc_usable_size(memory) >= bytes);
    memset(memory, 0x5a, bytes);
    begin();
    free(memory);
    expect(0, 0, 1);
}

static void test_each_call_counts_once(void **state) {
    (void)state;
    void *memory;
    begin(), memory = malloc(100), expect_one(memory, 100, 8);
    begin(), memory = calloc(7, 30), expect_one(memory, 210, 8);
    begin(), memory = realloc(NULL, 50), expect_one(memory, 50, 8);
    begin(), memory = reallocarray(NULL, 6, 11), expect_one(memory, 66, 2);
    begin(), memory = aligned_alloc(64, 128), expect_one(memory, 128, 64);
    begin(), memory = memalign(256, 100), expect_one(memory, 100, 256);
    begin(), memory = valloc(100), expect_one(memory, 100, 4096);
    begin(), assert_int_equal(posix_memalign(&memory, 128, 70), 0), expect_one(memory, 70, 128);
    begin(), memory = strdup("four"), expect_one(memory, 5, 1); /* the C library's own */
    begin(), memory = malloc(0), expect(1, 0, 0), free(memory);
    if (strstr(heap_behind(), "/libc.so")) /* jemalloc has none: the C library's is no match */
        begin(), memory = pvalloc(100), expect_one(memory, 100, 4096);
}

static void test_new_size_counts(void **state) {
    (void)state;
    unsigned char *memory = malloc(10);
    memset(memory, 7, 10);
    begin();
    memory = realloc(memory, 10000);
    expect(1, 10000, 0);
    memory = reallocarray(memory, 3, 1000);
    expect(2, 13000, 0);
    for (int i = 0; i < 10; i++)
        assert_int_equal(memory[i], 7);
    free(memory);
    expect(2, 13000, 1);
}

/* To none: glibc frees, others give a block of no bytes. */
static void test_resize_to_nothing(void **state) {
    (void)state;
    void *memory = malloc(10);
    begin();
    void *rest = realloc(memory, 0);
    expect(rest ? 1 : 0, 0, rest ? 0 : 1);
    free(rest);
    begin();
    rest = realloc(NULL, 0); /* nothing was there to be freed */
    expect(rest ? 1 : 0, 0, 0);
    free(rest);
}

static void test_what_gives_nothing_counts_not(void **state) {
    (void)state;
    void *memory = malloc(10), *none = NULL;
    begin();
    free(none);
    assert_null(calloc(most, 3)); /* overflows */
    errno = 0;
    assert_null(reallocarray(NULL, most, 3));
    assert_int_equal(errno, ENOMEM);
    assert_int_equal(posix_memalign(&none, 3, 10), EINVAL);
    expect(0, 0, 0);
    assert_null(malloc(most));
    assert_null(realloc(memory, most));
    assert_int_equal(posix_memalign(&none, 64, most), ENOMEM);
    expect(0, 0, 0);
    free(memory);
    expect(0, 0, 1);
}

static pthread_barrier_t meet;
static void *allocate(void *argument) {
    (void)argument;
    pthread_barrier_wait(&meet);
    for (size_t i = 0; i < ROUNDS; i++) {
        void *memory = malloc(i % 300);
        memory = realloc(memory, 1);
        free(memory);
    }
    pthread_barrier_wait(&meet);
    return NULL;
}

static void test_threads_lose_nothing(void **state) {
    (void)state;
    pthread_t ids[THREADS];
    uint64_t bytes = ROUNDS;
    for (uint64_t i = 0; i < ROUNDS; i++)
        bytes += i % 300;
    pthread_barrier_init(&meet, NULL, THREADS + 1);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&ids[i], NULL, allocate, NULL), 0);
    begin();
    pthread_barrier_wait(&meet);
    pthread_barrier_wait(&meet);
    expect(2ull * THREADS * ROUNDS, THREADS * bytes, 1ull * THREADS * ROUNDS);
    for (int i = 0; i < THREADS; i++)
        pthread_join(ids[i], NULL);
}

static void *end_at_once(void *argument) {
    return argument;
}

static void test_threads_themselves_cost_nothing(void **state) {
    (void)state;
    pthread_t ids[THREADS];
    begin();
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&ids[i], NULL, end_at_once, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(ids[i], NULL), 0);
    expect(0, 0, 0);
}

static void test_the_heap_behind_is_named(void **state) {
    (void)state;
    Dl_info front;
    assert_true(dladdr(dlsym(RTLD_DEFAULT, "malloc"), &front));
    assert_non_null(strstr(front.dli_fname, "/libtailrace-count.so"));
    assert_string_not_equal(front.dli_fname, heap_behind());
}

static int find_count(void **state) {
    (void)state;
    void *found = dlsym(RTLD_DEFAULT, "tailrace_count_read");
    memcpy(&read_count, &found, sizeof found);
    return found ? 0 : -1;
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_each_call_counts_once),
                                       cmocka_unit_test(test_new_size_counts),
                                       cmocka_unit_test(test_resize_to_nothing),
                                       cmocka_unit_test(test_what_gives_nothing_counts_not),
                                       cmocka_unit_test(test_threads_themselves_cost_nothing),
                                       cmocka_unit_test(test_threads_lose_nothing),
                                       cmocka_unit_test(test_the_heap_behind_is_named)};
    return cmocka_run_group_tests(tests, find_count, NULL);
}
