/* SPDX-License-Identifier: MIT */
/* test_race_result.c - reports of a gate, baselines and suppressions; leaves one set of reports for
 * test_race_formats.py in the folder that RACE_RESULT_FOLDER names.
 */
#include "race/race_result.h"
#include "race/seed.h"
#include "run/files.h"
#include "tests/cmocka_all.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REPORT_BYTES 65536

static char folder[512];

static const char *path_of(const char *name, const char *ending) {
    static char paths[4][1024];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof *paths, "%s/%s%s", folder, name, ending);
    return path;
}

/* Cuts off what has no room, in the middle of a character too. */
static void set_text(char *to, size_t bytes, const char *from) {
    size_t length = strnlen(from, bytes - 1);
    memcpy(to, from, length);
    to[length] = 0;
}
#define SET(to, from) set_text(to, sizeof(to), from)

static struct race_result *make_result(const char *program) {
    struct race_result *result = calloc(1, sizeof *result);
    assert_non_null(result);
    result->rows = calloc(RACE_ROWS_MAX, sizeof *result->rows);
    assert_non_null(result->rows);
    SET(result->program, program);
    snprintf(result->replay, sizeof result->replay, "-- %s", program);
    result->seconds = 12.25;
    return result;
}

static void free_result(struct race_result *result) {
    free(result->rows);
    free(result);
}

static void add_tally(struct race_result *result, const char *detector, const char *schedule,
                      uint32_t runs, uint32_t hits) {
    struct race_tally *tally = &result->tallies[result->tally_count++];
    SET(tally->detector, detector);
    SET(tally->schedule, schedule);
    tally->runs = runs, tally->hits = hits;
}

static struct race_row *add_row(struct race_result *result, const char *detector, const char *kind,
                                const char *message) {
    struct race_row *row = &result->rows[result->row_count++];
    SET(row->finding.detector, detector);
    SET(row->finding.kind, kind);
    SET(row->finding.message, message);
    snprintf(row->finding.fingerprint, sizeof row->finding.fingerprint, "%016x",
             result->row_count * 0x1234567u);
    row->hits = 12, row->runs = 200;
    return row;
}

static void add_stack(struct race_row *row, const char *role, const char *function,
                      const char *file, uint32_t line) {
    struct stack *stack = &row->finding.stacks[row->finding.stack_count++];
    SET(stack->role, role);
    stack->count = 2;
    stack->frames[0].line = line, stack->frames[1].line = 99;
    SET(stack->frames[0].function, function);
    SET(stack->frames[0].file, file);
    strcpy(stack->frames[1].function, "main");
    strcpy(stack->frames[1].file, "src/main.c");
}

static struct race_row *add_race(struct race_result *result) {
    struct race_row *row = add_row(result, "tsan", "data-race", "data race on 'counter'");
    add_stack(row, "write of 4 bytes by thread T1", "add", "src/./counter.c", 12);
    add_stack(row, "previous read of 4 bytes by thread T2", "total", "/elsewhere/total, a:b.c", 20);
    add_stack(row, "allocated by main thread", "make", "src/counter.c", 5);
    add_stack(row, "thread T1 created by main thread", "start", "src/counter.c", 40);
    row->first_seed = seed_make(SCHEDULE_PCT2, 64, 4000000000);
    return row;
}

static struct race_result *make_silent(void) {
    struct race_result *result = make_result("./quiet");
    result->runs = 200;
    add_tally(result, "tsan", "plain", 50, 0);
    add_tally(result, "tsan", "pct2", 150, 0);
    add_tally(result, "helgrind", "plain", 0, 0);
    return result;
}

/* A row of each state, and some without this or that. */
static struct race_result *make_states(void) {
    struct race_result *result = make_result("build/prog");
    result->runs = 300, result->hung = 1, result->crashed = 2;
    result->note_count = 1;
    strcpy(result->notes[0], "built without tailrace-cc: plain schedules only");
    add_tally(result, "tsan", "plain", 200, 12);
    add_tally(result, "asan", "plain", 100, 3);
    add_tally(result, "memcheck", "plain", 0, 0);
    add_tally(result, "fanalyzer", "none", 1, 1);
    add_race(result);
    struct race_row *row = add_row(result, "asan", "heap-use-after-free", "heap-use-after-free");
    add_stack(row, "read of 8 bytes by thread T3", "pop", "src/queue.c", 0);
    add_stack(row, "freed by thread T1", "drop", "src/queue.c", 77);
    row->state = ROW_KNOWN, row->finding.artefact = true;
    row->first_seed = seed_make(SCHEDULE_DELAY, 1, 1);
    row = add_race(result);
    row->state = ROW_SUPPRESSED;
    strcpy(row->why, "a counter of statistics; torn values do no harm <&>");
    strcpy(row->expires, "2030-01-31");
    row = add_row(result, "fanalyzer", "leak", "leak of 'p' [CWE-401]");
    add_stack(row, "", "", "src/leak.c", 3);
    row = add_row(result, "tsan", "hang", "");
    strcpy(row->finding.fingerprint, "");
    row = add_row(result, "asan", "mutex-bad-unlock", "only frames without a file");
    add_stack(row, "write by thread T1", "memcpy", "", 0);
    row->finding.stacks[0].frames[1] = (struct frame){0};
    return result;
}

/* Bytes that are syntax, control or nothing at all in one of the forms. */
static struct race_result *make_odd(void) {
    static const char odd[] = "a\"b'c<d>&e%f,g:h|i`j*k_l\\m[n](o)$p\nq\rr\ts\x1b[31mt\x01u\x7fv\xff"
                              "w\xc3\xa9x\xe2\x82\xac\xf0\x9f\x90\x9b\xe2\x80\xaey\xc2\x9bz"
                              "\xed\xa0\x80\xef\xbf\xbf]]>--></details></pre>::warning::1\xe2\x82";
    struct race_result *result = make_result("odd");
    result->runs = 3;
    result->note_count = 1;
    SET(result->program, odd);
    SET(result->replay, odd);
    SET(result->notes[0], odd);
    add_tally(result, odd, odd, 3, 3);
    for (int state = ROW_NEW; state <= ROW_SUPPRESSED; state++) {
        struct race_row *row = add_row(result, odd, odd, odd);
        add_stack(row, odd, odd, odd, UINT32_MAX);
        add_stack(row, odd, odd, "", 1);
        add_stack(row, "created", odd, "../../../../../../../../../../../..//./x y%.c", 1);
        add_stack(row, "", "", "", 0);
        row->state = (enum row_state)state;
        row->first_seed = (UINT64_C(1) << 53) - 1;
        SET(row->finding.fingerprint, odd);
        SET(row->why, odd);
        SET(row->expires, "2030-01-31");
    }
    add_row(result, "", "", "");
    return result;
}

static void write_stream(const struct race_result *result, const char *path,
                         void (*print)(const struct race_result *, FILE *)) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    print(result, file);
    assert_int_equal(fclose(file), 0);
}

static void write_all(struct race_result *result, const char *name) {
    struct error error = {0};
    json_t *json = race_json(result), *sarif = race_sarif(result);
    assert_non_null(json);
    assert_non_null(sarif);
    assert_true(file_write_json(path_of(name, ".json"), json, JSON_INDENT(2), &error));
    assert_true(file_write_json(path_of(name, ".sarif"), sarif, JSON_INDENT(2), &error));
    assert_true(race_write_junit(result, path_of(name, ".xml"), &error));
    assert_true(race_write_markdown(result, path_of(name, ".md"), &error));
    write_stream(result, path_of(name, ".txt"), race_print);
    write_stream(result, path_of(name, ".annotations"), race_print_annotations);
    json_decref(json);
    json_decref(sarif);
    free_result(result);
}

static void test_reports(void **state) {
    (void)state;
    write_all(make_silent(), "silent");
    write_all(make_states(), "states");
    write_all(make_odd(), "odd");
    write_all(make_result(""), "empty");
}

static void test_unwritable(void **state) {
    struct error error = {0};
    struct race_result *result = make_silent();
    (void)state;
    assert_false(race_write_junit(result, "/nowhere/a.xml", &error));
    assert_string_equal(error.sentence, "cannot write /nowhere/a.xml: No such file or directory");
    assert_false(race_write_markdown(result, "/nowhere/a.md", &error));
    assert_int_equal(error.status, EXIT_INPUT);
    free_result(result);
}

static void hold_sure(const struct race_result *result, const char *wanted) {
    char text[256];
    race_sure(result, text, sizeof text);
    assert_string_equal(text, wanted);
}

static void test_sure(void **state) {
    struct race_result *result = make_silent();
    (void)state;
    hold_sure(result, "0 of 200 runs: any race left shows in under 1.5 % of runs (95 % sure)");
    result->runs = 100; /* fewer than tallied: those that were made */
    hold_sure(result, "0 of 100 runs: any race left shows in under 3 % of runs (95 % sure)");
    result->runs = 1;
    hold_sure(result, "0 of 1 runs: any race left shows in under 95 % of runs (95 % sure)");
    result->runs = 200;
    add_tally(result, "fanalyzer", "none", 1, 1); /* runs nothing */
    hold_sure(result, "0 of 200 runs: any race left shows in under 1.5 % of runs (95 % sure)");
    result->hung = 3;
    hold_sure(result, "nothing was reported in 200 runs, of which 3 hung and 0 crashed");
    add_race(result);
    hold_sure(result, "something was found in 12 of 200 runs: 6 % of them "
                      "(95 % sure: 3.47 to 10.2 %)");
    free_result(result);
    result = make_result("x");
    hold_sure(result, "no run was made: nothing is known of what shows in running");
    add_tally(result, "analyzer", "none", 1, 0);
    hold_sure(result, "no run was made: nothing is known of what shows in running");
    result->runs = 5;
    add_tally(result, "native", "none", 5, 0);
    hold_sure(result, "5 runs without a detector: they show crashes, hangs and failed checks only");
    free_result(result);
}

static void test_failed(void **state) {
    struct race_result *result = make_silent();
    (void)state;
    assert_false(race_failed(result));
    add_race(result)->state = ROW_KNOWN;
    add_race(result)->state = ROW_SUPPRESSED;
    assert_false(race_failed(result));
    add_race(result);
    assert_true(race_failed(result));
    free_result(result);
}

static char *printed(const struct race_result *result,
                     void (*print)(const struct race_result *, FILE *)) {
    static char text[REPORT_BYTES];
    FILE *file = fmemopen(text, sizeof text, "w");
    assert_non_null(file);
    print(result, file);
    fputc(0, file);
    assert_int_equal(fclose(file), 0);
    return text;
}

static void test_text(void **state) {
    struct race_result *result = make_silent();
    (void)state;
    add_race(result);
    assert_string_equal(
        printed(result, race_print_annotations),
        "::error file=src/counter.c,line=12,title=data-race::data race on 'counter' at "
        "src/counter.c:12 in add, /elsewhere/total, a:b.c:20 in total; found by tsan in 12 of 200 "
        "runs%0Aagain: tailrace race --replay 8192000000515 -- ./quiet\n");
    assert_string_equal(printed(result, race_print),
                        "data-race (new) by tsan in 12 of 200 runs\n"
                        "  data race on 'counter'\n"
                        "  write of 4 bytes by thread T1: src/counter.c:12 in add\n"
                        "  previous read of 4 bytes by thread T2: /elsewhere/total, a:b.c:20 in "
                        "total\n"
                        "  also allocated by main thread: src/counter.c:5 in make\n"
                        "  also thread T1 created by main thread: src/counter.c:40 in start\n"
                        "  again: tailrace race --replay 8192000000515 -- ./quiet\n"
                        "  fingerprint 0000000001234567\n\n"
                        "./quiet: 1 new, 0 known, 0 suppressed\n"
                        "something was found in 12 of 200 runs: 6 % of them (95 % sure: 3.47 to "
                        "10.2 %)\n");
    result->rows[0].state = ROW_KNOWN;
    assert_memory_equal(printed(result, race_print_annotations), "::notice file=", 14);
    result->rows[0].state = ROW_SUPPRESSED;
    assert_string_equal(printed(result, race_print_annotations), "");
    free_result(result);
}

static uint32_t allocations_left;

static void *allocate_some(size_t bytes) {
    return allocations_left && allocations_left-- ? malloc(bytes) : NULL;
}

static void test_no_memory(void **state) {
    struct race_result *result = make_states();
    json_t *(*const makers[])(const struct race_result *) = {race_json, race_sarif};
    (void)state;
    json_set_alloc_funcs(allocate_some, free);
    for (size_t i = 0; i < sizeof makers / sizeof *makers; i++) {
        json_t *json = NULL;
        uint32_t count = 0;
        for (; !json; count++) {
            assert_in_range(count, 0, 100000);
            allocations_left = count;
            json = makers[i](result);
        }
        assert_int_equal(allocations_left, 0); /* it has used all that it asked for */
        json_decref(json);
    }
    json_set_alloc_funcs(malloc, free);
    free_result(result);
}

static int make_folder(void **state) {
    const char *named = getenv("RACE_RESULT_FOLDER");
    (void)state;
    snprintf(folder, sizeof folder, "%s", named ? named : "/tmp/test_race_result.XXXXXX");
    return named || mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
    static const char *const names[] = {"silent", "states", "odd", "empty"};
    static const char *const endings[] = {".json", ".sarif", ".xml", ".md", ".txt", ".annotations"};
    (void)state;
    if (getenv("RACE_RESULT_FOLDER"))
        return 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (size_t k = 0; k < sizeof endings / sizeof *endings; k++)
            unlink(path_of(names[i], endings[k]));
    return rmdir(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reports), cmocka_unit_test(test_unwritable),
        cmocka_unit_test(test_sure),    cmocka_unit_test(test_failed),
        cmocka_unit_test(test_text),    cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
