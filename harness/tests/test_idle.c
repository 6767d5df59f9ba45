/* SPDX-License-Identifier: MIT */
/* test_idle.c - the noise floor of made-up gaps by hand, and one that is measured. */
#include "measure/idle.h"
#include "tests/cmocka_all.h"

static void assert_near(uint64_t value, uint64_t expected) {
    assert_in_range(value, expected - expected / 50, expected + expected / 50);
}

/* 1 s of readings 20 ns apart with one gap of 10 ms in it: of the time, 1 % lies in the gap. */
static void test_one_gap(void **state) {
    static struct histogram gaps;
    (void)state;
    for (int i = 0; i < 49500000; i++)
        histogram_record(&gaps, 20);
    histogram_record(&gaps, 10000000);
    assert_near(idle_request_ns(&gaps, 0.999), 9000000); /* 0.1 % of 1 s is 1 ms */
    assert_near(idle_request_ns(&gaps, 0.9999), 9900000);
    assert_true(idle_request_ns(&gaps, 0.9) <= 20);
    assert_int_equal(histogram_quantile_ns(&gaps, 0.9999), 20); /* what counting readings says */
}

static void test_equal_gaps(void **state) {
    static struct histogram gaps;
    (void)state;
    for (int i = 0; i < 1000; i++)
        histogram_record(&gaps, 1000000);
    assert_near(idle_request_ns(&gaps, 0.5), 500000);
    assert_near(idle_request_ns(&gaps, 0.99), 990000);
    assert_near(idle_request_ns(&gaps, 1), 1000000);
}

static void test_nothing_measured(void **state) {
    static struct histogram gaps;
    (void)state;
    assert_int_equal(idle_request_ns(&gaps, 0.99), 0);
}

static void test_measured(void **state) {
    static struct idle_noise noise;
    (void)state;
    assert_true(idle_measure(0.05, &noise));
    assert_true(noise.gaps.count > 100);
    assert_true(noise.gaps.sum_ns >= 50000000);
    assert_true(noise.cpu >= -1);
    assert_true(!noise.sleeps_taken || noise.sleeps.count > 0);
    assert_true(idle_request_ns(&noise.gaps, 0.9999) <= noise.gaps.max_ns + noise.gaps.max_ns / 64);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_gap), cmocka_unit_test(test_equal_gaps),
        cmocka_unit_test(test_nothing_measured), cmocka_unit_test(test_measured)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
