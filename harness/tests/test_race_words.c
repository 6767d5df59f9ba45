/* SPDX-License-Identifier: MIT */
/* test_race_words.c - what all reports of a gate share: UTF-8, paths, places, kinds. */
#include "race/race_words.h"
#include "tests/cmocka_all.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Each string is bytes, then what they are as JSON. */
static void test_no_utf8(void **state) {
    static const char *const cases[][2] = {
        {"", ""},
        {"\xc3\xa9", "\xc3\xa9"},
        {"\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"},
        {"\xc3", "\xef\xbf\xbd"},
        {"\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd"},
        {"\x80z", "\xef\xbf\xbdz"},
        {"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xe0\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *json = text_json(cases[i][0]);
        assert_string_equal(json_string_value(json), cases[i][1]);
        json_decref(json);
    }
}

static void hold_path(const char *file, bool inside, const char *wanted) {
    char path[SOURCE_PATH_BYTES];
    assert_int_equal(source_path(file, path, sizeof path), inside);
    assert_string_equal(path, wanted);
}

static void test_paths(void **state) {
    char here[256], through[1024];
    char link[] = "/tmp/test_race_words.XXXXXX";
    (void)state;
    assert_int_equal(close(mkstemp(link)), 0);
    assert_int_equal(unlink(link), 0);
    assert_non_null(getcwd(here, sizeof here));
    hold_path("", false, "");
    hold_path("./a//b/../c.c", true, "a/c.c");
    hold_path("/../etc/./x.c", false, "/etc/x.c");
    snprintf(through, sizeof through, "%s/../%s/a.c", here, strrchr(here, '/') + 1);
    hold_path(through, true, "a.c");
    snprintf(through, sizeof through, "%sx/a.c", here); /* beside it */
    hold_path(through, false, through);
    assert_int_equal(symlink("/proc/self/cwd", link), 0);
    snprintf(through, sizeof through, "%s/.", link); /* the folder itself is no file in it */
    hold_path(through, false, link);
    unlink(link);
    assert_int_equal(symlink("/proc/self/exe", link), 0);
    assert_true(realpath(link, through));
    assert_int_equal(chdir("/"), 0);
    hold_path(link, true, link + 1); /* "/" holds all, as it is written */
    *strrchr(through, '/') = 0;
    assert_int_equal(chdir(through), 0);
    hold_path(link, true, through + strlen(through) + 1);
    assert_int_equal(chdir(here), 0);
    unlink(link);
}

static void test_places(void **state) {
    struct finding finding = {.stack_count = 1, .stacks[0].role = "block was alloc'd"};
    const struct stack *places[FINDING_STACKS_MAX], *others[FINDING_STACKS_MAX];
    uint32_t other_count;
    (void)state;
    assert_int_equal(finding_places(&finding, places, others, &other_count), 1);
    assert_int_equal(other_count, 0); /* all that there is */
    strcpy(finding.stacks[1].role, "deallocated by thread T1");
    finding.stack_count = 2;
    assert_int_equal(finding_places(&finding, places, others, &other_count), 1);
    assert_int_equal(other_count, 1);
    assert_ptr_equal(places[0], &finding.stacks[1]);
    assert_ptr_equal(others[0], &finding.stacks[0]);
}

static void test_kinds(void **state) {
    static const char *const kinds[][2] = {
        {"data-race", "data-race"},
        {"mutex-bad-unlock", "mutex-bad-unlock"},
        {"mutex-invalid-access", "mutex-"},
        {"", ""},
        {"mutex", ""},
        {"E0502", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        assert_string_equal(kind_help(kinds[i][0])->kind, kinds[i][1]);
    assert_non_null(strstr(kind_help("E0502")->what, "Rust"));
    assert_ptr_equal(kind_help("leak"), kind_help("definite-leak"));
    assert_ptr_not_equal(kind_help("leak"), kind_help("unheard-of"));
    assert_ptr_not_equal(kind_help("leak"), kind_help("file-leak"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_utf8),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_kinds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
