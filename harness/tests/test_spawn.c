/* SPDX-License-Identifier: MIT */
/* test_spawn.c - programs are run to their end, or ended, with all that they started. */
#include "run/spawn.h"
#include "tests/cmocka_all.h"

#include <signal.h>
#include <string.h>

static struct spawn_result result;

static void run(const char *command, double timeout_s) {
    struct spawn_request request = {.argv = (char *const[]){"sh", "-c", (char *)command, NULL},
                                    .timeout_s = timeout_s,
                                    .keep_output = true};
    spawn_run(&request, &result);
}

static void test_ends(void **state) {
    (void)state;
    run("echo told; exit 3", 20);
    assert_int_equal(result.end, SPAWN_EXITED);
    assert_int_equal(result.status, 3);
    assert_string_equal(result.said, "told\n");
    run("kill -9 $$", 20);
    assert_int_equal(result.end, SPAWN_SIGNALED);
    assert_int_equal(result.status, SIGKILL);
}

static void test_what_cannot_start_says_why(void **state) {
    (void)state;
    struct spawn_request request = {.argv = (char *const[]){"/nowhere/program", NULL},
                                    .timeout_s = 20};
    spawn_run(&request, &result);
    assert_int_equal(result.end, SPAWN_FAILED);
    assert_non_null(strstr(result.said, "No such file"));
}

static void test_asleep_is_hung(void **state) {
    (void)state;
    run("sleep 1000", 1);
    assert_int_equal(result.end, SPAWN_HUNG);
}

/* A shell that waits for a child which computes is not asleep, though it uses no time itself. */
static void test_a_child_that_computes_counts(void **state) {
    (void)state;
    run("timeout 5 sh -c 'while :; do :; done'; exit 7", 2);
    assert_int_equal(result.end, SPAWN_EXITED);
    assert_int_equal(result.status, 7);
}

static void test_what_is_left_behind_is_ended(void **state) {
    (void)state;
    run("setsid sleep 1000 >/dev/null 2>&1 & exit 0", 20);
    assert_int_equal(result.end, SPAWN_EXITED);
    assert_int_equal(result.left_behind, 1);
    run("true", 20);
    assert_int_equal(result.left_behind, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ends), cmocka_unit_test(test_what_cannot_start_says_why),
        cmocka_unit_test(test_asleep_is_hung), cmocka_unit_test(test_a_child_that_computes_counts),
        cmocka_unit_test(test_what_is_left_behind_is_ended)};
    spawn_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
