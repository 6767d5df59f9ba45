/* SPDX-License-Identifier: MIT */
/* test_json.c - json-api's parser, writer and edits, against RFC 8259: what is JSON, what is none,
 * and that what is written is read back. Cases named after those of JSONTestSuite (Seriot, 2016).
 * Under audit, so that every object made is also given back. */
#include "tests/cmocka_all.h"
#include "tests/host_stub.h"

#include "load/json_edit.h"
#include "load/json_write.h"

static mem_thread *self;

static int attach(void **state) {
    (void)state;
    mem_init();
    self = mem_attach();
    return 0;
}
static int detach(void **state) {
    (void)state;
    mem_detach(self);
    mem_fini();
    return 0;
}

struct text {
    const char *bytes;
    size_t length;
};
#define TEXT(literal)                                                                              \
    { literal, sizeof(literal) - 1 }

static struct json_node *parse(mem_scope *s, const char *bytes, size_t length) {
    uint32_t nodes;
    size_t at;
    struct json_node *root = json_parse(self, s, bytes, length, &nodes, &at);
    assert_true(at <= length);
    return root;
}

static bool is_json(const char *bytes, size_t length) {
    char *exact = malloc(length + (length == 0)); /* so that ASan sees a read behind the end */
    memcpy(exact, bytes, length);
    mem_scope *s = mem_scope_begin(self);
    struct json_node *root = parse(s, exact, length);
    mem_drop(self, s, &json_node_type, root);
    mem_scope_end(self, s);
    free(exact);
    return root != NULL;
}

static const struct text good_texts[] = {
    TEXT("null"),
    TEXT("true"),
    TEXT(" false "),
    TEXT("0"),
    TEXT("-0"),
    TEXT("\"\""),
    TEXT("[]"),
    TEXT("{}"),
    TEXT("[[]   ]"),
    TEXT("[\"\"]"),
    TEXT("[\n1\n,1]"),
    TEXT("\t[\r\n null , 1,\"1\",{}]\n"),
    TEXT("[1,null,null,null,2]"),
    TEXT("[2] "),
    TEXT("[123e65]"),
    TEXT("[0e+1]"),
    TEXT("[0e1]"),
    TEXT("[ 4]"),
    TEXT("[1E22]"),
    TEXT("[1E-2]"),
    TEXT("[1E+2]"),
    TEXT("[123.456e78]"),
    TEXT("[-123]"),
    TEXT("[1e-400]"),
    TEXT("[-0.00000000000000000000000000000000000000000000000000000000000000000000000000001]"),
    TEXT("[18446744073709551616]"),
    TEXT("{\"asd\":\"sdf\", \"dfg\":\"fgh\"}"),
    TEXT("{\"a\":\"b\",\"a\":\"c\"}"),
    TEXT("{\"\":0}"),
    TEXT("{\"foo\\u0000bar\": 42}"),
    TEXT("{\"a\":[]}"),
    TEXT("[\"\\u0060\\u012a\\u12AB\"]"),
    TEXT("[\"\\uD801\\udc37\"]"),
    TEXT("[\"\\ud83d\\ude39\\ud83d\\udc8d\"]"),
    TEXT("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]"),
    TEXT("[\"\\\\u0000\"]"),
    TEXT("[\"a/*b*/c\"]"),
    TEXT("[\"\x7f\"]"),
    TEXT("[\"\\uFFFF\"]"),
    TEXT("[\"\xc3\xa9\"]"),
    TEXT("[\"\xe2\x82\xac\"]"),
    TEXT("[\"\xf4\x8f\xbf\xbf\"]"),
    TEXT("[\"\xf0\x90\x80\x80\"]"),
    TEXT("[\"\xed\x9f\xbf\"]"),
    TEXT("[\"\xef\xbf\xbd\"]")};

static void test_good(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof good_texts / sizeof *good_texts; i++)
        if (!is_json(good_texts[i].bytes, good_texts[i].length))
            fail_msg("refused: %s", good_texts[i].bytes);
}

static const struct text bad_texts[] = {TEXT(""),
                                        TEXT(" "),
                                        TEXT("\xef\xbb\xbf{}"),
                                        TEXT("nul"),
                                        TEXT("nulll"),
                                        TEXT("True"),
                                        TEXT("[1 true]"),
                                        TEXT("[\"\": 1]"),
                                        TEXT("[\"\"],"),
                                        TEXT("[,1]"),
                                        TEXT("[1,,2]"),
                                        TEXT("[\"x\",,]"),
                                        TEXT("[\"x\"]]"),
                                        TEXT("[\"\",]"),
                                        TEXT("[\"x\""),
                                        TEXT("[3[4]]"),
                                        TEXT("[1:2]"),
                                        TEXT("[,]"),
                                        TEXT("[-]"),
                                        TEXT("[   , \"\"]"),
                                        TEXT("[\"a\",\n4\n,1,"),
                                        TEXT("[1,]"),
                                        TEXT("[*]"),
                                        TEXT("[\"\"\n"),
                                        TEXT("[1,\n1\n,1"),
                                        TEXT("[{}"),
                                        TEXT("["),
                                        TEXT("]"),
                                        TEXT("{"),
                                        TEXT("}"),
                                        TEXT("[++1234]"),
                                        TEXT("[+1]"),
                                        TEXT("[+Inf]"),
                                        TEXT("[-01]"),
                                        TEXT("[-1.0.]"),
                                        TEXT("[-2.]"),
                                        TEXT("[-NaN]"),
                                        TEXT("[.-1]"),
                                        TEXT("[.2e-3]"),
                                        TEXT("[0.1.2]"),
                                        TEXT("[0.3e+]"),
                                        TEXT("[0.e1]"),
                                        TEXT("[0E]"),
                                        TEXT("[0e+]"),
                                        TEXT("[1.0e-]"),
                                        TEXT("[1 000.0]"),
                                        TEXT("[1eE2]"),
                                        TEXT("[2.e3]"),
                                        TEXT("[9.e+3]"),
                                        TEXT("[Infinity]"),
                                        TEXT("[NaN]"),
                                        TEXT("[0x1]"),
                                        TEXT("[1+2]"),
                                        TEXT("[012]"),
                                        TEXT("[- 1]"),
                                        TEXT("[-foo]"),
                                        TEXT("[1e400]"),
                                        TEXT("[-1e400]"),
                                        TEXT("{\"x\", null}"),
                                        TEXT("{\"x\"::\"b\"}"),
                                        TEXT("{key: 1}"),
                                        TEXT("{'a':0}"),
                                        TEXT("{\"a\" b}"),
                                        TEXT("{:\"b\"}"),
                                        TEXT("{\"a\" \"b\"}"),
                                        TEXT("{\"a\":"),
                                        TEXT("{\"a\""),
                                        TEXT("{1:1}"),
                                        TEXT("{null:null}"),
                                        TEXT("{\"id\":0,}"),
                                        TEXT("{,}"),
                                        TEXT("{\"a\":\"b\"}/**/"),
                                        TEXT("{\"a\":\"b\",,\"c\":\"d\"}"),
                                        TEXT("{\"a\":\"b\"}#"),
                                        TEXT("{\"a\": true} \"x\""),
                                        TEXT("[1]x"),
                                        TEXT("[\"\\uD800\\\"]"),
                                        TEXT("[\"\\ud800\"]"),
                                        TEXT("[\"\\uD800\\u\"]"),
                                        TEXT("[\"\\uD800\\u0041\"]"),
                                        TEXT("[\"\\udc00\\ud800\"]"),
                                        TEXT("[\"\\u\"]"),
                                        TEXT("[\"\\u00A\"]"),
                                        TEXT("[\"\\u00G0\"]"),
                                        TEXT("[\"\\x00\"]"),
                                        TEXT("[\"\\a\"]"),
                                        TEXT("[\"\\\xe5\"]"),
                                        TEXT("[\"\\"),
                                        TEXT("[\"\\\\\\\"]"),
                                        TEXT("[\"a"),
                                        TEXT("\""),
                                        TEXT("['x']"),
                                        TEXT("[\\n]"),
                                        TEXT("[\"\t\"]"),
                                        TEXT("[\"new\nline\"]"),
                                        TEXT("[\"a\0a\"]"),
                                        TEXT("[\"\x1f\"]"),
                                        TEXT("[\0]"),
                                        TEXT("[1]\0"),
                                        TEXT("[\f1]"),
                                        TEXT("[\xc2\xa0]"),
                                        TEXT("[\"\xff\"]"),
                                        TEXT("[\"\x80\"]"),
                                        TEXT("[\"\xc0\xaf\"]"),
                                        TEXT("[\"\xe0\x80\xaf\"]"),
                                        TEXT("[\"\xf0\x8f\xbf\xbf\"]"),
                                        TEXT("[\"\xed\xa0\x80\"]"),
                                        TEXT("[\"\xf4\x90\x80\x80\"]"),
                                        TEXT("[\"\xf8\x88\x80\x80\x80\"]"),
                                        TEXT("[\"\xe2\x82\"]"),
                                        TEXT("[\"\xe2\x82")};

static void test_bad(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof bad_texts / sizeof *bad_texts; i++)
        if (is_json(bad_texts[i].bytes, bad_texts[i].length))
            fail_msg("taken: %s", bad_texts[i].bytes);
}

/* `count` times open, then count times close. */
static bool is_json_so_deep(uint32_t count) {
    char text[2 * (JSON_DEPTH_MAX + 1)];
    memset(text, '[', count);
    memset(text + count, ']', count);
    return is_json(text, 2 * (size_t)count);
}

static bool is_json_so_long(size_t length, char byte, bool string) {
    char *text = malloc(length + 2);
    memset(text, byte, length + 2);
    if (string)
        text[0] = text[length + 1] = '"';
    bool good = string ? is_json(text, length + 2) : is_json(text, length);
    free(text);
    return good;
}

static void test_limits(void **state) {
    (void)state;
    assert_true(is_json_so_deep(JSON_DEPTH_MAX));
    assert_false(is_json_so_deep(JSON_DEPTH_MAX + 1));
    assert_true(is_json_so_long(JSON_TEXT_BYTES_MAX, 'x', true));
    assert_false(is_json_so_long(JSON_TEXT_BYTES_MAX + 1, 'x', true));
    assert_true(is_json_so_long(JSON_NUMBER_BYTES_MAX, '1', false));
    assert_false(is_json_so_long(JSON_NUMBER_BYTES_MAX + 1, '1', false));
}

/* What the text is written as; it is read back as the same tree. */
static void assert_written(const char *text, const char *expected) {
    mem_scope *s = mem_scope_begin(self);
    struct json_node *root = parse(s, text, strlen(text));
    assert_non_null(root);
    struct json_writer w = {self, s, json_buffer_new(self, s, 1)};
    json_write(&w, root);
    if (w.buffer->length != strlen(expected) ||
        memcmp(w.buffer->bytes, expected, w.buffer->length) != 0)
        fail_msg("%s is written as %.*s", text, (int)w.buffer->length, w.buffer->bytes);
    struct json_node *again = parse(s, w.buffer->bytes, w.buffer->length);
    assert_true(again && json_equal(root, again));
    mem_drop(self, s, &json_node_type, again);
    mem_drop(self, s, &json_node_type, root);
    mem_drop(self, s, &json_buffer_type, w.buffer);
    mem_scope_end(self, s);
}

static void test_written(void **state) {
    (void)state;
    assert_written(" { \"b\" : [ 1 , null ] , \"a\" : true } ", "{\"b\":[1,null],\"a\":true}");
    assert_written("[9223372036854775807,-9223372036854775808,9223372036854775808]",
                   "[9223372036854775807,-9223372036854775808,9.2233720368547758e+18]");
    assert_written("[0,-0,1.0,1E2,0.1,5e-324,1.7976931348623157e308]",
                   "[0,-0.0,1.0,100.0,0.1,4.94065645841247e-324,1.7976931348623157e+308]");
    assert_written("[0.30000000000000004, 1e-400]", "[0.30000000000000004,0.0]");
    assert_written("\"\\u0000\\u001f\\u007f\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
                   "\"\\u0000\\u001f\x7f\\\"\\\\/\\b\\f\\n\\r\\t\"");
    assert_written("\"\\u00e9\\u20ac\\ud83d\\ude00\\uffff\"",
                   "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xef\xbf\xbf\"");
}

static void test_unequal(void **state) {
    static const char *const different[] = {"[]",      "{}",     "[1]",         "[1.0]",
                                            "[1,2]",   "[\"\"]", "[\"1\"]",     "{\"a\":1}",
                                            "[[1],2]", "[null]", "{\"\":null}", "[-0]"};
    const size_t count = sizeof different / sizeof *different;
    mem_scope *s = mem_scope_begin(self);
    (void)state;
    for (size_t i = 0; i < count * count; i++) {
        const char *x = different[i / count], *y = different[i % count];
        struct json_node *a = parse(s, x, strlen(x)), *b = parse(s, y, strlen(y));
        assert_int_equal(json_equal(a, b), x == y);
        mem_drop(self, s, &json_node_type, a);
        mem_drop(self, s, &json_node_type, b);
    }
    mem_scope_end(self, s);
}

/* Checks the number of children, and that the tree is read back as it is. */
static void check_tree(mem_scope *s, const struct json_node *root) {
    uint32_t count = 0;
    for (const struct json_node *at = mem_get(&root->child); at; at = mem_get(&at->next))
        count++;
    assert_int_equal(root->count, count);
    struct json_writer w = {self, s, json_buffer_new(self, s, 64)};
    json_write(&w, root);
    struct json_node *again = parse(s, w.buffer->bytes, w.buffer->length);
    assert_true(again && json_equal(root, again));
    mem_drop(self, s, &json_node_type, again);
    mem_drop(self, s, &json_buffer_type, w.buffer);
}

static void test_edits_keep_a_tree(void **state) {
    static const char text[] = "{\"z\":[1,\"two\",[3,4,5],{}],\"y\":{\"b\":\"s\",\"a\":null},"
                               "\"x\":\"\",\"\":true,\"y\":[{\"k\":\"v\"},{\"k\":[]}]}";
    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++) {
        mem_scope *s = mem_scope_begin(self);
        struct json_node *root = parse(s, text, sizeof text - 1);
        struct json_editor e = {self, s, rng_at(seed, 1)};
        for (int i = 0; i < 12; i++) {
            json_edit(&e, root);
            check_tree(s, root);
        }
        mem_drop(self, s, &json_node_type, root);
        mem_scope_end(self, s);
    }
}

static void test_sort_is_stable(void **state) {
    static const char text[] = "{\"b\":1,\"a\":2,\"ab\":3,\"\":4,\"a\":5,\"c\":6,\"B\":7}";
    static const int64_t order[] = {4, 7, 2, 5, 3, 1, 6};
    mem_scope *s = mem_scope_begin(self);
    struct json_node *root = parse(s, text, sizeof text - 1);
    struct json_editor e = {.t = self, .s = s};
    (void)state;
    json_sort(&e, root);
    const struct json_node *at = mem_get(&root->child);
    for (size_t i = 0; i < sizeof order / sizeof *order; i++, at = mem_get(&at->next))
        assert_int_equal(at->number.integer, order[i]);
    assert_null(at);
    mem_drop(self, s, &json_node_type, root);
    mem_scope_end(self, s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),           cmocka_unit_test(test_bad),
        cmocka_unit_test(test_limits),         cmocka_unit_test(test_written),
        cmocka_unit_test(test_unequal),        cmocka_unit_test(test_edits_keep_a_tree),
        cmocka_unit_test(test_sort_is_stable),
    };
    return cmocka_run_group_tests(tests, attach, detach);
}
