/* SPDX-License-Identifier: MIT */
/* test_histogram.c - the bucket layout, its error bound, and quantiles against sorted values. */
#include "base/rng.h"
#include "measure/histogram.h"
#include "tests/cmocka_all.h"

#include <stdlib.h>

#define VALUES 10000

/* Literal values of HdrHistogram's layout (lowest 1, 2 digits: 256 sub-buckets). */
static void test_layout(void **state) {
    static const struct {
        uint64_t value_ns, index, highest_ns;
    } cases[] = {{0, 0, 0},         {1, 1, 1},         {255, 255, 255},         {256, 256, 257},
                 {257, 256, 257},   {258, 257, 259},   {511, 383, 511},         {512, 384, 515},
                 {1000, 506, 1003}, {1023, 511, 1023}, {1000000, 1780, 1003519}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(histogram_index(cases[i].value_ns), cases[i].index);
        assert_int_equal(histogram_highest_ns((uint32_t)cases[i].index), cases[i].highest_ns);
    }
    assert_int_equal(sizeof((struct histogram *)0)->buckets, 31744);
}

static void test_buckets_are_contiguous(void **state) {
    (void)state;
    for (uint32_t i = 0; i + 1 < HISTOGRAM_BUCKETS; i++) {
        uint64_t highest_ns = histogram_highest_ns(i);
        assert_int_equal(histogram_index(highest_ns), i);
        assert_int_equal(histogram_index(highest_ns + 1), i + 1);
    }
    assert_int_equal(histogram_highest_ns(HISTOGRAM_BUCKETS - 1), (1ull << 37) - 1);
}

/* A value and what is reported for it differ by less than 1 %. */
static void test_error_bound(void **state) {
    rng random = rng_at(7, 0);
    (void)state;
    for (int i = 0; i < 200000; i++) {
        uint64_t value_ns = rng_u64(&random) >> (27 + rng_below(&random, 37));
        uint64_t told_ns = histogram_highest_ns(histogram_index(value_ns));
        assert_true(told_ns >= value_ns);
        assert_true((double)(told_ns - value_ns) <= 0.01 * (double)value_ns);
    }
}

static int by_value(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void test_quantiles_are_of_the_right_rank(void **state) {
    static const double shares[] = {0, 0.5, 0.9, 0.99, 0.999, 0.9999, 1};
    static uint64_t values[VALUES];
    static struct histogram h;
    rng random = rng_at(8, 0);
    (void)state;
    for (int i = 0; i < VALUES; i++) {
        values[i] = (uint64_t)rng_exponential(&random, 50000);
        histogram_record(&h, values[i]);
    }
    qsort(values, VALUES, sizeof *values, by_value);
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        size_t rank = (size_t)(shares[i] * VALUES + 0.5);
        uint64_t expected = values[rank ? rank - 1 : 0],
                 told = histogram_quantile_ns(&h, shares[i]);
        assert_int_equal(histogram_index(told), histogram_index(expected));
    }
    assert_int_equal(histogram_quantile_ns(&h, 1), values[VALUES - 1]);
}

static void test_maximum_is_exact_beyond_the_range(void **state) {
    static struct histogram h, sum;
    (void)state;
    assert_int_equal(histogram_quantile_ns(&h, 0.5), 0);
    histogram_record(&h, 5);
    histogram_record(&h, 200ull * 1000000000);
    histogram_add(&sum, &h);
    histogram_add(&sum, &h);
    assert_int_equal(sum.count, 4);
    assert_int_equal(sum.sum_ns, 2 * (5 + 200ull * 1000000000));
    assert_int_equal(sum.max_ns, 200ull * 1000000000);
    assert_int_equal(histogram_quantile_ns(&sum, 0.5), 5);
    assert_int_equal(histogram_quantile_ns(&sum, 0.9), 200ull * 1000000000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layout), cmocka_unit_test(test_buckets_are_contiguous),
        cmocka_unit_test(test_error_bound), cmocka_unit_test(test_quantiles_are_of_the_right_rank),
        cmocka_unit_test(test_maximum_is_exact_beyond_the_range)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
