/* SPDX-License-Identifier: MIT */
/* test_load.c - the measured path on a fake clock: schedules, the stall oracle, what overload is.
 */
#include "measure/load.h"
#include "tests/cmocka_all.h"
#include "tests/fake_clock.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One stall at most. */
struct fake {
    uint64_t now_ns; /* first: fake_clock.h */
    uint64_t service_ns, stall_at_ns, stall_ns;
};

static uint64_t fake_execute(void *context, uint64_t i) {
    struct fake *fake = context;
    if (fake->stall_ns > 0 && fake->now_ns >= fake->stall_at_ns) {
        fake->now_ns = fake->stall_at_ns + fake->stall_ns;
        fake->stall_ns = 0;
    }
    fake->now_ns += fake->service_ns;
    return hash_pair(i, 1);
}

static struct load_record *run_fake(struct load_plan plan, uint32_t worker, struct fake fake) {
    struct load_record *record = calloc(1, sizeof *record);
    struct load_target target = {fake_prepare, fake_execute, &fake};
    struct load_clock clock = {fake_now, fake_wait_until, fake_slow, &fake};
    assert_non_null(record);
    load_run(&plan, worker, &target, record, clock);
    return record;
}

static struct load_plan plan_of(double rate, uint64_t requests, uint32_t workers) {
    return (struct load_plan){.open = true,
                              .rate = rate,
                              .requests = requests,
                              .start_ns = 1000000000,
                              .interval_ns = 10000000,
                              .slice_ns = 100000000,
                              .seed = 3,
                              .workers = workers};
}

/* One stall S on all workers in a run of length T gives Q(p) = S - (1 - p) T. */
static void test_stall_oracle(void **state) {
    const uint64_t run_ns = 4000000000, stall_ns = 400000000;
    static const double shares[] = {0.99, 0.995, 0.999, 0.9999};
    static struct histogram response, service;
    (void)state;
    for (uint32_t worker = 0; worker < 2; worker++) {
        struct fake fake = {.stall_at_ns = 2000000000, .stall_ns = stall_ns};
        struct load_record *record = run_fake(plan_of(100000, 400000, 2), worker, fake);
        assert_int_equal(record->done, 200000);
        histogram_add(&response, &record->response);
        histogram_add(&service, &record->service);
        free(record);
    }
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        double expected_ns = (double)stall_ns - (1 - shares[i]) * (double)run_ns;
        double told_ns = (double)histogram_quantile_ns(&response, shares[i]);
        assert_true(told_ns >= expected_ns - 20000 && told_ns <= expected_ns * 1.008 + 20000);
    }
    assert_int_equal(response.max_ns, stall_ns);
    assert_int_equal(histogram_quantile_ns(&service, 0.9999), 0); /* what closed loops report */
}

static void test_response_is_lateness_plus_service(void **state) {
    struct fake fake = {.service_ns = 1500};
    struct load_record *record = run_fake(plan_of(1e6, 1000, 1), 0, fake);
    (void)state;
    /* request i is due at 1000 i and ends at 1500 (i + 1) */
    assert_int_equal(record->response.max_ns, 1500 * 1000 - 1000 * 999);
    assert_int_equal(record->lateness.max_ns, 1500 * 999 - 1000 * 999);
    assert_int_equal(record->service.max_ns, 1500);
    assert_int_equal(record->response.sum_ns, record->lateness.sum_ns + record->service.sum_ns);
    assert_int_equal(record->end_ns, 1000000000 + 1500 * 1000);
    free(record);
}

static void test_fixed_schedule_is_absolute(void **state) {
    struct schedule s = schedule_make(ARRIVALS_FIXED, 500, 3, 1, 1, 4);
    (void)state;
    assert_int_equal(schedule_next_ns(&s, 0), 500 + 333333333);
    assert_int_equal(schedule_next_ns(&s, 1), 500 + 1666666666);
    assert_int_equal(schedule_next_ns(&s, 3000000), 500 + 333333333 + 4000000000000000);
}

static void test_poisson_schedule(void **state) {
    const int count = 200000;
    double mean = 0, square = 0;
    uint64_t last_ns = 0;
    struct schedule s = schedule_make(ARRIVALS_POISSON, 0, 1e5, 9, 1, 2), same = s;
    struct schedule other = schedule_make(ARRIVALS_POISSON, 0, 1e5, 9, 0, 2);
    (void)state;
    assert_int_not_equal(schedule_next_ns(&other, 0), schedule_next_ns(&same, 0));
    for (uint64_t k = 0; k < (uint64_t)count; k++) {
        uint64_t at_ns = schedule_next_ns(&s, k);
        double gap_ns = (double)(at_ns - last_ns);
        assert_true(at_ns >= last_ns);
        mean += gap_ns / count;
        square += gap_ns * gap_ns / count;
        last_ns = at_ns;
    }
    /* exponential gaps of mean n / rate = 20 us: mean and deviation alike, within 5 standard errors
     */
    assert_true(fabs(mean - 20000) < 5 * 20000 / sqrt(count));
    assert_true(fabs(sqrt(square - mean * mean) - 20000) < 10 * 20000 / sqrt(count));
}

static void test_requests_are_shared_out_whole(void **state) {
    uint64_t done = 0, checksum = 0, expected = 0;
    (void)state;
    for (uint64_t i = 0; i < 1001; i++)
        expected += hash_pair(i, 1);
    for (uint32_t worker = 0; worker < 3; worker++) {
        struct load_record *record = run_fake(plan_of(1e5, 1001, 3), worker, (struct fake){0});
        done += record->done;
        checksum += record->checksum;
        free(record);
    }
    assert_int_equal(done, 1001);
    assert_int_equal(checksum, expected);
}

static void test_intervals_follow_the_intended_start(void **state) {
    struct fake fake = {.stall_at_ns = 1000000000 + 55000000, .stall_ns = 30000000};
    struct load_record *record = run_fake(plan_of(1000, 100, 1), 0, fake);
    (void)state;
    for (int i = 0; i < 10; i++)
        assert_int_equal(record->intervals[i].count, 10);
    assert_int_equal(record->intervals[10].count, 0);
    assert_int_equal(record->intervals[4].max_response_ns, 0);
    assert_int_equal(record->intervals[5].max_response_ns, 30000000);
    assert_int_equal(record->intervals[6].min_lateness_ns, 55000000 + 30000000 - 69000000);
    assert_int_equal(record->intervals[9].min_lateness_ns, 0);
    free(record);
}

/* Starts beyond the last interval are counted there, not lost. */
static void test_intervals_hold_every_start(void **state) {
    struct load_plan plan = plan_of(1000, 5000, 1);
    uint64_t count = 0;
    (void)state;
    plan.interval_ns = 1000000;
    struct load_record *record = run_fake(plan, 0, (struct fake){0});
    for (int i = 0; i < LOAD_INTERVALS_MAX; i++)
        count += record->intervals[i].count;
    assert_int_equal(count, 5000);
    assert_int_equal(record->intervals[LOAD_INTERVALS_MAX - 1].count,
                     5000 - LOAD_INTERVALS_MAX + 1);
    free(record);
}

static void test_overload(void **state) {
    struct load_record *over =
        run_fake(plan_of(1e5, 100000, 1), 0, (struct fake){.service_ns = 11000});
    struct load_record *under =
        run_fake(plan_of(1e5, 100000, 1), 0, (struct fake){.service_ns = 9000});
    struct fake stalled = {.service_ns = 5000, .stall_at_ns = 1600000000, .stall_ns = 100000000};
    struct load_record *recovers = run_fake(plan_of(1e5, 100000, 1), 0, stalled);
    (void)state;
    assert_true(load_overloaded(over));
    assert_false(load_overloaded(under));
    assert_false(load_overloaded(recovers));
    free(over);
    free(under);
    free(recovers);
}

static void test_closed_loop(void **state) {
    struct load_plan plan = plan_of(0, 0, 2);
    (void)state;
    plan.open = false;
    plan.end_ns = plan.start_ns + 1000000;
    struct load_record *timed = run_fake(plan, 1, (struct fake){.service_ns = 1000});
    plan.requests = 11;
    struct load_record *counted = run_fake(plan, 1, (struct fake){.service_ns = 1000});
    assert_int_equal(timed->done, 1000);
    assert_int_equal(timed->service.count, 1000);
    assert_int_equal(timed->response.count, 0);
    assert_int_equal(counted->done, 5);
    free(timed);
    free(counted);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_stall_oracle),
                                       cmocka_unit_test(test_response_is_lateness_plus_service),
                                       cmocka_unit_test(test_fixed_schedule_is_absolute),
                                       cmocka_unit_test(test_poisson_schedule),
                                       cmocka_unit_test(test_requests_are_shared_out_whole),
                                       cmocka_unit_test(test_intervals_follow_the_intended_start),
                                       cmocka_unit_test(test_intervals_hold_every_start),
                                       cmocka_unit_test(test_overload),
                                       cmocka_unit_test(test_closed_loop)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
