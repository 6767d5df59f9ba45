/* SPDX-License-Identifier: MIT */
/* test_findings_hostile.c - nothing that a tool, its death or a program's own output may leave
 * behind breaks a reader of reports: cut off, garbled, large, oddly named. */
#include "tests/findings_reports.h"

#include "base/rng.h"

#include <jansson.h>
#include <stdlib.h>

#define BIG_BYTES ((size_t)1 << 20)
#define CUTS 500    /* of each report, first byte to last */
#define GARBLES 150 /* of each report */

static struct findings all;

static int set_up(void **state) {
    (void)state;
    return findings_init(&all) ? 0 : -1;
}
static int tear_down(void **state) {
    (void)state;
    findings_free(&all);
    return 0;
}

static void check_text(const char *text, size_t size) {
    bool control = false;
    for (const char *at = text; *at; at++)
        control = control || (unsigned char)*at < ' ';
    json_t *string = json_string(text); /* NULL: not UTF-8 */
    if (control || !string || strlen(text) >= size)
        fail_msg("not fit for a writer: %s", text);
    json_decref(string);
}

/* What writers may rely on. */
static void check(void) {
    assert_true(all.count <= FINDINGS_MAX);
    for (uint32_t i = 0; i < all.count; i++) {
        const struct finding *one = &all.list[i];
        check_text(one->kind, sizeof one->kind);
        check_text(one->message, sizeof one->message);
        assert_string_equal(one->detector, "tool");
        assert_true(*one->kind);
        assert_true(one->stack_count <= FINDING_STACKS_MAX);
        for (uint32_t j = 0; j < one->stack_count; j++) {
            const struct stack *stack = &one->stacks[j];
            check_text(stack->role, sizeof stack->role);
            assert_true(stack->count <= FINDING_FRAMES_MAX);
            for (uint32_t k = 0; k < stack->count; k++) {
                check_text(stack->frames[k].function, sizeof stack->frames[k].function);
                check_text(stack->frames[k].file, sizeof stack->frames[k].file);
            }
        }
    }
}

/* In memory of exactly its size, so that ASan sees a read behind its end. */
static bool read_exactly(reader_of *read, const char *text, size_t length) {
    char *exact = malloc(length + 1);
    memcpy(exact, text, length);
    exact[length] = '\0';
    all.count = all.lost = 0;
    bool any = read(exact, "tool", &all);
    free(exact);
    check();
    return any;
}

static void test_cut_off(void **state) {
    (void)state;
    for (size_t i = 0; i < REPORT_COUNT; i++) {
        const char *text = load(reports[i].name);
        size_t length = strlen(text), step = length / CUTS + 1;
        uint32_t before = 0;
        for (size_t cut = 0; cut <= length;
             cut = cut < length && cut + step > length ? length : cut + step) {
            read_exactly(reports[i].read, text, cut);
            if (all.count < before)
                fail_msg("%s: %u findings in %zu bytes, %u in fewer", reports[i].name, all.count,
                         cut, before);
            before = all.count;
        }
    }
}

static void garble(char *text, size_t length, rng *numbers) {
    uint64_t changes = 1 + rng_below(numbers, 8);
    for (uint64_t i = 0; i < changes; i++) {
        size_t at = (size_t)rng_below(numbers, length), from = (size_t)rng_below(numbers, length);
        size_t room = length - (at > from ? at : from), most = room < 200 ? room : 200;
        if (rng_below(numbers, 2))
            memmove(text + at, text + from, (size_t)rng_below(numbers, most + 1));
        else
            text[at] = (char)(1 + rng_below(numbers, 255));
    }
}

static void test_garbled(void **state) {
    static char text[REPORT_BYTES_MAX];
    rng numbers = rng_at(11, 1);
    (void)state;
    for (size_t i = 0; i < REPORT_COUNT; i++)
        for (int n = 0; n < GARBLES; n++) {
            strcpy(text, load(reports[i].name));
            garble(text, strlen(text), &numbers);
            read_exactly(reports[i].read, text, strlen(text));
        }
}

static void test_garbage(void **state) {
    static const char *const texts[] = {
        "",
        "\n",
        "{",
        "[",
        "{}",
        "[]",
        "[[",
        "null",
        "{\"runs\":3}",
        "{\"runs\":[3,{\"results\":[4]}]}",
        "[3,{\"option\":4}]",
        "{\"kind\":3}",
        "{\"kind\":\"x\",\"stacks\":[3,{\"frames\":[4,null]}]}",
        "<",
        "<a/>",
        "<?xml version=\"1.0\"?>",
        "<valgrindoutput><error></error><stack><frame/></stack>",
        "<valgrindoutput><frame><fn>x</fn></frame><error><kind>Race</kind></error>",
        "#0",
        "    #0 0x1 in main a.c:1\n",
        "==1==ERROR: AddressSanitizer: \n",
        "ERROR: Sanitizer: \n",
        "WARNING: ThreadSanitizer:  (pid=\n",
        "Sanitizer: ERROR: \n",
        ": runtime error: \n",
        "==1==ERROR: LeakSanitizer: detected memory leaks\nDirect leak of \n"};
    static char noise[4096];
    rng numbers = rng_at(12, 1);
    (void)state;
    for (size_t i = 0; i < REPORT_COUNT; i++) {
        for (size_t j = 0; j < sizeof texts / sizeof *texts; j++)
            read_exactly(reports[i].read, texts[j], strlen(texts[j]));
        for (int n = 0; n < 20; n++) {
            for (size_t j = 0; j < sizeof noise - 1; j++)
                noise[j] = (char)(1 + rng_below(&numbers, 255));
            assert_false(read_exactly(reports[i].read, noise, sizeof noise - 1) && all.count);
        }
        assert_false(reports[i].read("A program's own words.\n", "tool", &all));
    }
}

/* A text as often as it fits. */
static char *fill(const char *text, size_t bytes) {
    char *big = malloc(bytes + 1);
    size_t length = strlen(text), used = 0;
    for (; used + length <= bytes; used += length)
        memcpy(big + used, text, length);
    big[used] = '\0';
    return big;
}

static void test_big(void **state) {
    static const char *const parts[] = {"x",
                                        "(",
                                        "[",
                                        "{\n",
                                        "{\"a\":\n",
                                        "[1,\n",
                                        "#0 ",
                                        "    #1 0x1 in f a.c:1\n",
                                        "==1==ERROR: AddressSanitizer: x\n",
                                        "<a>",
                                        "\xff"};
    (void)state;
    for (size_t i = 0; i < REPORT_COUNT; i++) {
        all.count = all.lost = 0;
        reports[i].read(load(reports[i].name), "tool", &all);
        uint32_t once = all.count;
        bool first = i == 0 || reports[i].read != reports[i - 1].read;
        char *big = fill(load(reports[i].name), first ? BIG_BYTES : BIG_BYTES / 16);
        read_exactly(reports[i].read, big, strlen(big));
        free(big);
        assert_int_equal(all.count, once);
        assert_int_equal(all.lost, 0);
    }
    reader_of *const readers[] = {parse_sanitizer, parse_hook, parse_xml, parse_sarif};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        char *big = fill(parts[i], BIG_BYTES / 4);
        for (size_t j = 0; j < sizeof readers / sizeof *readers; j++)
            read_exactly(readers[j], big, strlen(big));
        free(big);
    }
}

static void test_many_different(void **state) {
    char *text = malloc(BIG_BYTES);
    size_t used = 0;
    (void)state;
    for (int i = 0; i < 3000; i++)
        used +=
            (size_t)snprintf(text + used, BIG_BYTES - used,
                             "==1==ERROR: AddressSanitizer: SEGV on unknown address 0x%d (pc 0x1)\n"
                             "    #0 0x1 in f%d /src/a.c:1:2\n\n",
                             i, i);
    read_exactly(parse_sanitizer, text, used);
    assert_int_equal(all.count, FINDINGS_MAX);
    assert_int_equal(all.lost, 3000 - FINDINGS_MAX);
    free(text);
}

static void check_frame(const char *line, const char *function, const char *file, uint32_t number) {
    char text[8192];
    snprintf(text, sizeof text, "==1==ERROR: AddressSanitizer: SEGV on x\n    #0 %s\n", line);
    read_exactly(parse_sanitizer, text, strlen(text));
    assert_int_equal(all.count, 1);
    const struct stack *stack = &all.list[0].stacks[0];
    if (stack->count != 1 || strcmp(stack->frames[0].function, function) != 0 ||
        strcmp(stack->frames[0].file, file) != 0 || stack->frames[0].line != number)
        fail_msg("%s is read as %s, %s:%u", line, stack->frames[0].function, stack->frames[0].file,
                 stack->frames[0].line);
}

static void test_odd_names(void **state) {
    (void)state;
    check_frame("0x1 in f /a.c:1:2", "f", "/a.c", 1);
    check_frame("0x1 in f /my folder/a b.c:12", "f", "/my folder/a b.c", 12);
    check_frame("0x1 in f my folder/a.c:12:3", "f", "my folder/a.c", 12);
    check_frame("0x1 in f /a:7/b.c:12:3", "f", "/a:7/b.c", 12);
    check_frame("0x1 in f (/my folder/p+0x12) (BuildId: ab)", "f", "", 0);
    check_frame("0x1  (/my folder/p.so+0x12)", "p.so+0x12", "", 0);
    check_frame("f <null> (p+0x12)", "f", "", 0);
    check_frame("f /a.c:4294967295:1 (p+0x12)", "f", "/a.c", 0);
    check_frame("f /a.c:99999999999999999999999", "f", "/a.c", 0);
    check_frame("operator new[](unsigned long) <null> (p+0x12)", "operator new[](unsigned long)",
                "", 0);
    check_frame("0x1 in operator<<(s&, char const*) a.cc:3:4", "operator<<(s&, char const*)",
                "a.cc", 3);
    check_frame("0x1 in a::b<c, d>::operator()(int) const /x/a.cc:3:4",
                "a::b<c, d>::operator()(int) const", "/x/a.cc", 3);
    check_frame("0x1 in operator new(unsigned long)", "operator new(unsigned long)", "", 0);
    check_frame("0x1 in f(int) [clone .isra.0] /x/a.cc:3", "f(int) [clone .isra.0]", "/x/a.cc", 3);
    check_frame("0x1 in \xc3\xa9t\xc3\xa9 /\xe2\x82\xac.c:3", "\xc3\xa9t\xc3\xa9",
                "/\xe2\x82\xac.c", 3);
    check_frame("0x1 in f\"'&<x> /a\\b.c:3", "f\"'&<x>", "/a\\b.c", 3);
    check_frame("0x1 in f\xff\x01 /a.c:3\r", "f??", "/a.c", 3);
}

/* Longer than its field: cut between characters, the place kept. */
static void test_long_name(void **state) {
    char name[3001], line[4096];
    (void)state;
    for (size_t i = 0; i + 1 < sizeof name; i += 2)
        memcpy(name + i, "\xc3\xa9", 2);
    name[sizeof name - 1] = '\0';
    snprintf(line, sizeof line,
             "==1==ERROR: AddressSanitizer: SEGV on x\n    #0 0x1 in %s /a.c:7\n", name);
    read_exactly(parse_sanitizer, line, strlen(line));
    const struct frame *frame = &all.list[0].stacks[0].frames[0];
    assert_int_equal(strlen(frame->function), 94);
    assert_string_equal(frame->file, "/a.c");
    assert_int_equal(frame->line, 7);
    snprintf(line, sizeof line, "{\"kind\":\"%s\",\"message\":\"%s\\u0000\\u0007\"}\n", "odd Kind!",
             name);
    read_exactly(parse_hook, line, strlen(line));
    assert_string_equal(all.list[0].kind, "odd-kind");
    assert_int_equal(strlen(all.list[0].message), 254);
}

static void test_long_xml(void **state) {
    char name[1201], text[16384];
    (void)state;
    for (size_t i = 0; i + 1 < sizeof name; i += 3)
        memcpy(name + i, "\xe2\x82\xac", 3);
    name[sizeof name - 1] = '\0';
    for (size_t shift = 0; shift < 3; shift++) { /* limits fall into each byte of a character */
        const char *lead = &"xx"[shift];
        int length = snprintf(
            text, sizeof text,
            "<valgrindoutput><error><kind>Race</kind><xwhat><text>%s%s</text></xwhat>"
            "<what>%s%s</what><stack><frame><ip>0x1</ip><obj>/%s%s</obj></frame>"
            "<frame><fn>%s%s</fn><dir>/src/%s%s</dir><file>a.c</file><line>7</line></frame>"
            "</stack><auxwhat>%s%s</auxwhat><stack></stack></error></valgrindoutput>",
            lead, name, lead, name, lead, name, lead, name, lead, name, lead, name);
        assert_true(length < (int)sizeof text);
        assert_true(read_exactly(parse_xml, text, (size_t)length));
        assert_int_equal(all.count, 1);
        assert_int_equal(all.list[0].stack_count, 2);
        assert_int_equal(all.list[0].stacks[0].count, 2);
    }
    char path[600], line[700];
    memset(path, 'd', sizeof path);
    for (size_t i = 0; i < sizeof path; i += 50)
        path[i] = '/';
    memcpy(path + sizeof path - 5, "/a.c", 5);
    snprintf(line, sizeof line, "0x1 in f %s:3", path);
    check_frame(line, "f", path + 350, 3);
}

/* A program that prints between a report's lines, and colours. */
static void test_among_other_text(void **state) {
    static const char text[] =
        "hello WARNING: nothing\n#0 no frame\n\n"
        "==5==WARNING: AddressSanitizer failed to allocate 0x7f bytes\n"
        "WARNING: ThreadSanitizer: memory layout is incompatible\n"
        "progress 10%\r\x1b[1m\x1b[31m==5==ERROR: AddressSanitizer: heap-use-after-free on address "
        "0x5 at pc "
        "0x6\x1b[0m\n"
        "\x1b[1m\x1b[34mWRITE of size 4 at 0x5 thread T1\x1b[0m\n"
        "    #0 0x1 in f /a.c:1\nhello again\n    #1 0x2 in g /a.c:2\n"
        "\x1b[1m\x1b[35mfreed by thread T0 here:\x1b[0m\n    #0 0x1 in h /a.c:3\n"
        "SUMMARY: AddressSanitizer: heap-use-after-free /a.c:1 in f\n    #0 0x1 in later /a.c:9\n"
        "progress 20%\r\x1b[1ma.c:8:2:\x1b[1m\x1b[31m runtime error: \x1b[1mdivision by "
        "zero\x1b[0m\n";
    (void)state;
    assert_true(read_exactly(parse_sanitizer, text, sizeof text - 1));
    assert_int_equal(all.count, 2);
    const struct finding *one = &all.list[0];
    assert_int_equal(one->stack_count, 2);
    assert_string_equal(one->stacks[0].role, "write of 4 bytes by thread T1");
    assert_int_equal(one->stacks[0].count, 2);
    assert_string_equal(one->stacks[1].role, "freed by thread T0");
    assert_string_equal(one->message, "heap-use-after-free");
    assert_false(one->artefact);
    assert_string_equal(all.list[1].kind, "division-by-zero");
    assert_string_equal(all.list[1].stacks[0].frames[0].file, "a.c");
    assert_true(all.list[1].artefact);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut_off),          cmocka_unit_test(test_garbled),
        cmocka_unit_test(test_garbage),          cmocka_unit_test(test_big),
        cmocka_unit_test(test_many_different),   cmocka_unit_test(test_odd_names),
        cmocka_unit_test(test_long_name),        cmocka_unit_test(test_long_xml),
        cmocka_unit_test(test_among_other_text),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
