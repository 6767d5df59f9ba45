/* SPDX-License-Identifier: MIT */
/* test_inputs.c - what scenarios draw from: random numbers, Zipf ranks, the corpus file. */
#include "load/proxy_corpus.h"
#include "load/zipf.h"
#include "tests/cmocka_all.h"

#include <unistd.h>

static void test_zipf_frequencies(void **state) {
    const int ranks = 1000, draws = 400000;
    static uint32_t seen[1000];
    struct zipf z = zipf_make((uint64_t)ranks, 0.99);
    rng random = rng_at(5, 0);
    double total = 0;
    (void)state;
    for (int k = 1; k <= ranks; k++)
        total += pow(k, -0.99);
    for (int i = 0; i < draws; i++) {
        uint64_t rank = zipf_rank(&z, &random);
        assert_true(rank < 1000);
        seen[rank]++;
    }
    for (int k = 1; k <= ranks; k += 37) { /* within 5 standard errors */
        double expected = draws * pow(k, -0.99) / total;
        assert_true(fabs(seen[k - 1] - expected) < 5 * sqrt(expected) + 1);
    }
}

static void test_rng_is_uniform_and_repeats(void **state) {
    rng a = rng_at(1, 2), b = rng_at(1, 2), c = rng_at(1, 3);
    uint32_t seen[10] = {0};
    (void)state;
    assert_int_equal(rng_u64(&a), rng_u64(&b));
    assert_int_not_equal(rng_u64(&a), rng_u64(&c));
    for (int i = 0; i < 100000; i++)
        seen[rng_below(&a, 10)]++;
    for (int i = 0; i < 10; i++)
        assert_true(seen[i] > 9500 && seen[i] < 10500);
    for (int i = 0; i < 1000; i++)
        assert_true(rng_unit(&a) > 0 && rng_unit(&a) <= 1);
}

static void test_hash_reads_every_byte(void **state) {
    char bytes[37] = {0};
    uint64_t zero = hash_bytes(0, bytes, sizeof bytes);
    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = 1;
        assert_int_not_equal(hash_bytes(0, bytes, sizeof bytes), zero);
        bytes[i] = 0;
    }
    assert_int_not_equal(hash_bytes(0, bytes, 36), zero);
}

static bool load_text(const char *text, struct corpus *corpus, char *error) {
    char path[] = "/tmp/corpus.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    *corpus = (struct corpus){0};
    bool loaded = corpus_load(corpus, path, error, 256);
    unlink(path);
    return loaded;
}

static void test_corpus_format(void **state) {
    static struct corpus corpus;
    char error[256] = "";
    (void)state;
    assert_true(
        load_text("# comment\n@ bad 400\nx\\x00y\\c\n@ good 200\nGET /\\\\\n\n", &corpus, error));
    assert_int_equal(corpus.count, 2);
    assert_int_equal(corpus.good_count, 1);
    assert_int_equal(corpus.records[0].length, 10);
    assert_memory_equal(corpus.bytes + corpus.records[0].offset, "GET /\\\r\n\r\n", 10);
    assert_memory_equal(corpus.bytes + corpus.records[1].offset, "x\0y", 3);
    assert_int_equal(corpus.records[1].length, 3);
    corpus_free(&corpus);
}

static void test_corpus_mistakes(void **state) {
    static const char *const texts[] = {"",
                                        "# nothing\n",
                                        "@ a 200\nx\n",
                                        "@ a 400\nx\n",
                                        "@ a 201\nx\n@ b 400\ny\n",
                                        "@ a 200\n\\q\n@ b 400\ny\n",
                                        "@ a 200\n\\xg1\n@ b 400\ny\n",
                                        "@ a 200\nx\\cy\n@ b 400\ny\n"};
    static struct corpus corpus;
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char error[256] = "";
        assert_false(load_text(texts[i], &corpus, error));
        assert_true(strlen(error) > 0);
        corpus_free(&corpus);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_zipf_frequencies), cmocka_unit_test(test_rng_is_uniform_and_repeats),
        cmocka_unit_test(test_hash_reads_every_byte), cmocka_unit_test(test_corpus_format),
        cmocka_unit_test(test_corpus_mistakes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
