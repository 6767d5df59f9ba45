/* SPDX-License-Identifier: MIT */
/* test_race_baseline.c - what makes a finding known or lets it through, and what is wrong input. */
#include "race/race_result.h"
#include "run/files.h"
#include "tests/cmocka_all.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TODAY "2028-02-29"
#define SELECTED "\"kind\":\"data-race\",\"function\":\"f0\""

static char path[] = "/tmp/test_race_baseline.XXXXXX";
static struct race_result *result;

static void add_row(const char *kind, uint32_t number) {
    struct race_row *row = &result->rows[result->row_count++];
    struct finding *finding = &row->finding;
    static const char *const roles[] = {"write by thread T1", "previous read by thread T2",
                                        "allocated by main thread"};
    *row = (struct race_row){.hits = 1, .runs = 10};
    snprintf(finding->kind, sizeof finding->kind, "%s", kind);
    strcpy(finding->detector, "tsan");
    snprintf(finding->fingerprint, sizeof finding->fingerprint, "%016x", number);
    finding->stack_count = 3;
    for (uint32_t i = 0; i < finding->stack_count; i++) {
        struct frame *frame = &finding->stacks[i].frames[0];
        finding->stacks[i].count = 1;
        strcpy(finding->stacks[i].role, roles[i]);
        snprintf(frame->function, sizeof frame->function, "%c%u", "fgm"[i], number);
        strcpy(frame->file, "src/a.c");
    }
}

static int make(void **state) {
    (void)state;
    result = calloc(1, sizeof *result);
    assert_non_null(result);
    result->rows = calloc(RACE_ROWS_MAX, sizeof *result->rows);
    assert_non_null(result->rows);
    for (uint32_t i = 0; i < 3; i++)
        add_row("data-race", i);
    return 0;
}

static int unmake(void **state) {
    (void)state;
    free(result->rows);
    free(result);
    return 0;
}

static void write_file(const char *text) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void hold_states(const char *wanted) {
    char states[RACE_ROWS_MAX + 1] = "";
    for (uint32_t i = 0; i < result->row_count; i++)
        states[i] = "nks"[result->rows[i].state];
    assert_string_equal(states, wanted);
}

static void write_baseline(void) {
    struct error error = {0};
    json_t *json = race_json(result);
    assert_true(file_write_json(path, json, 0, &error));
    json_decref(json);
}

static void test_round_trip(void **state) {
    struct error error = {0};
    (void)state;
    write_baseline();
    assert_true(race_apply_baseline(result, path, &error));
    hold_states("kkk");
    assert_false(race_failed(result));
    assert_int_equal(error.status, 0);
}

static void test_only_what_was_there(void **state) {
    struct error error = {0};
    (void)state;
    result->rows[1].state = ROW_SUPPRESSED;
    write_baseline();
    result->rows[0].state = ROW_NEW;
    add_row("data-race", 7);
    assert_true(race_apply_baseline(result, path, &error));
    hold_states("kskn");
    assert_true(race_failed(result));
}

struct bad {
    const char *text, *sentence; /* behind the file's name */
};

static void hold_sentences(const struct bad *bad, size_t count,
                           bool (*apply)(const char *, struct error *)) {
    for (size_t i = 0; i < count; i++) {
        struct error error = {0};
        char wanted[512];
        write_file(bad[i].text);
        assert_false(apply(path, &error));
        assert_int_equal(error.status, EXIT_INPUT);
        snprintf(wanted, sizeof wanted, "%s%s", path, bad[i].sentence);
        assert_string_equal(error.sentence, wanted);
        hold_states("nnn");
    }
}

static bool apply_baseline(const char *from, struct error *error) {
    return race_apply_baseline(result, from, error);
}

static bool apply_suppressions(const char *from, struct error *error) {
    return race_apply_suppressions(result, from, TODAY, error);
}

static void test_bad_baselines(void **state) {
    static const struct bad bad[] = {
        {"", ": line 1: '[' or '{' expected near end of file"},
        {"nonsense", ": line 1: '[' or '{' expected near 'nonsense'"},
        {"[]", " is no baseline: its \"schema\" is not \"tailrace/race/1\""},
        {"{\"schema\":\"tailrace/race/2\"}",
         " is no baseline: its \"schema\" is not \"tailrace/race/1\""},
        {"{\"schema\":1,\"findings\":[]}",
         " is no baseline: its \"schema\" is not \"tailrace/race/1\""},
        {"{\"schema\":\"tailrace/race/1\"}", " is no baseline: it has no array \"findings\""},
        {"{\"schema\":\"tailrace/race/1\",\"findings\":[{\"fingerprint\":\"0\"},{}]}",
         ": finding 2 has no \"fingerprint\""},
    };
    (void)state;
    hold_sentences(bad, sizeof bad / sizeof *bad, apply_baseline);
}

static void test_no_files(void **state) {
    struct error error = {0};
    (void)state;
    assert_false(race_apply_baseline(result, "/nowhere/b.json", &error));
    assert_string_equal(error.sentence, "cannot read /nowhere/b.json: No such file or directory");
    assert_int_equal(error.status, EXIT_INPUT);
    assert_false(race_apply_suppressions(result, "/tmp", TODAY, &error));
    assert_string_equal(error.sentence, "cannot read /tmp: Is a directory");
}

static void test_suppressed(void **state) {
    struct error error = {0};
    (void)state;
    write_file("[{" SELECTED ",\"why\":\"w\303\251\",\"expires\":\"" TODAY "\"},"
               "{\"fingerprint\":\"0000000000000001\",\"why\":\"x\",\"expires\":\"2100-01-01\"},"
               "{\"fingerprint\":\"0000000000000001\",\"why\":\"y\",\"expires\":\"2100-01-01\"}]");
    result->rows[1].state = ROW_KNOWN;
    assert_true(race_apply_suppressions(result, path, TODAY, &error));
    hold_states("ssn");
    assert_string_equal(result->rows[0].why, "w\303\251");
    assert_string_equal(result->rows[0].expires, TODAY);
    assert_string_equal(result->rows[1].why, "x");
    assert_string_equal(result->rows[2].why, "");
}

/* The kind alone, other kinds and the functions of background stacks do not do. */
static void test_stale(void **state) {
    struct error error = {0};
    (void)state;
    write_file("[{\"kind\":\"data-race\",\"function\":\"m0\",\"why\":\"w\",\"expires\":\"" TODAY
               "\"},{\"kind\":\"hang\",\"function\":\"f0\",\"why\":\"w\",\"expires\":\"" TODAY
               "\"},{\"fingerprint\":\"0000000000000001\"," SELECTED
               ",\"why\":\"w\",\"expires\":\"" TODAY "\"}]");
    assert_true(race_apply_suppressions(result, path, TODAY, &error));
    hold_states("nnnnnn");
    for (uint32_t i = 3; i < 6; i++)
        assert_string_equal(result->rows[i].finding.kind, "suppression-stale");
    const struct finding *first = &result->rows[3].finding, *second = &result->rows[4].finding;
    assert_string_equal(first->message,
                        "suppression 1 (data-race in m0) matches no finding: \"w\"");
    assert_string_equal(first->stacks[0].frames[0].file, path);
    assert_int_equal(strlen(first->fingerprint), 16);
    assert_string_not_equal(first->fingerprint, second->fingerprint);
}

static void test_expired(void **state) {
    struct error error = {0};
    (void)state;
    for (uint32_t i = 0; i < 3; i++)
        result->rows[i].state = ROW_KNOWN;
    write_file("[{" SELECTED ",\"why\":\"w\",\"expires\":\"2028-02-28\"}]");
    assert_true(race_apply_suppressions(result, path, TODAY, &error));
    hold_states("kkkn");
    assert_string_equal(result->rows[3].finding.kind, "suppression-expired");
    assert_string_equal(result->rows[3].finding.message,
                        "suppression 1 (data-race in f0) expired on 2028-02-28: \"w\"");
    assert_true(race_failed(result));
    write_baseline(); /* excuses none of them */
    assert_true(race_apply_baseline(result, path, &error));
    hold_states("kkkn");
}

static void test_full(void **state) {
    struct error error = {0};
    (void)state;
    while (result->row_count < RACE_ROWS_MAX)
        add_row("data-race", result->row_count);
    write_file("[{\"fingerprint\":\"x\",\"why\":\"w\",\"expires\":\"" TODAY "\"}]");
    assert_false(race_apply_suppressions(result, path, TODAY, &error));
    assert_non_null(strstr(error.sentence, "suppression 1 (x) matches no finding"));
}

#define DATED(date) "[{" SELECTED ",\"why\":\"w\",\"expires\":\"" date "\"}]"
#define NO_DATE(date)                                                                              \
    ": suppression 1 (data-race in f0): \"" date "\" is no day in the form YYYY-MM-DD"

static void test_bad_suppressions(void **state) {
    static const struct bad bad[] = {
        {"{}", " is no array of suppressions"},
        {"[1]", ": suppression 1 is no object"},
        {"[{}]", ": suppression 1 needs a \"fingerprint\", or a \"kind\" and a \"function\""},
        {"[{\"kind\":\"data-race\",\"why\":\"w\",\"expires\":\"2100-01-01\"}]",
         ": suppression 1 (data-race in ?) needs a \"fingerprint\", or a \"kind\" and a "
         "\"function\""},
        {"[{\"fingerprint\":\"\",\"function\":\"f0\"}]",
         ": suppression 1 (? in f0) needs a \"fingerprint\", or a \"kind\" and a \"function\""},
        {"[{" SELECTED ",\"expires\":\"2100-01-01\"}]",
         ": suppression 1 (data-race in f0) needs a \"why\""},
        {"[{" SELECTED ",\"why\":\" \\n\",\"expires\":\"2100-01-01\"}]",
         ": suppression 1 (data-race in f0) needs a \"why\""},
        {"[{" SELECTED ",\"why\":\"w\"}]",
         ": suppression 1 (data-race in f0) needs a day on which it \"expires\""},
        {"[{" SELECTED ",\"why\":\"w\",\"expires\":20280101}]",
         ": suppression 1 (data-race in f0): \"expires\" is no text"},
        {"[{" SELECTED ",\"wy\":\"w\"}]", ": suppression 1 (data-race in f0): unknown key \"wy\""},
        /* all of the file is read before any of it counts */
        {"[{" SELECTED ",\"why\":\"w\",\"expires\":\"2100-01-01\"},{\"fingerprint\":\"x\"}]",
         ": suppression 2 (x) needs a \"why\""},
        {DATED("2100-02-29"), NO_DATE("2100-02-29")},
        {DATED("2028-02-30"), NO_DATE("2028-02-30")},
        {DATED("2028-13-01"), NO_DATE("2028-13-01")},
        {DATED("2028-00-01"), NO_DATE("2028-00-01")},
        {DATED("2028-01-00"), NO_DATE("2028-01-00")},
        {DATED("2028-1-1"), NO_DATE("2028-1-1")},
        {DATED("28-01-2028"), NO_DATE("28-01-2028")},
        {DATED("2028-01-01T"), NO_DATE("2028-01-01T")},
        {DATED("never"), NO_DATE("never")},
    };
    (void)state;
    hold_sentences(bad, sizeof bad / sizeof *bad, apply_suppressions);
}

static int make_file(void **state) {
    (void)state;
    int made = mkstemp(path);
    return made < 0 ? -1 : close(made);
}

static int remove_file(void **state) {
    (void)state;
    return unlink(path);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_round_trip),       TEST(test_only_what_was_there),
        TEST(test_bad_baselines),    TEST(test_no_files),
        TEST(test_suppressed),       TEST(test_stale),
        TEST(test_expired),          TEST(test_full),
        TEST(test_bad_suppressions),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
