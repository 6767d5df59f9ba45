/* SPDX-License-Identifier: MIT */
/* test_dataplane.c - dataplane's parser: each fault is told apart, loops end, no byte beyond the
 * frame is read (which AddressSanitizer sees: frames are blocks of just their size), and updated
 * checksums are right. */
#include "load/dataplane_capture.h"
#include "tests/cmocka_all.h"

#include <stdlib.h>

#define FLOWS 10000

static uint8_t content[CONTENT_BYTES + FRAME_BYTES_MAX];

static struct capture make_capture(uint32_t malformed_per_mille) {
    rng random = rng_at(3, 0);
    for (size_t i = 0; i < sizeof content; i++)
        content[i] = (uint8_t)rng_u64(&random);
    return (struct capture){.seed = 5,
                            .flow_count = FLOWS,
                            .malformed_per_mille = malformed_per_mille,
                            .payload = PAYLOAD_IMIX,
                            .flows = zipf_make(FLOWS, ZIPF_EXPONENT),
                            .content = content};
}

/* Parses the frame in a block of its own, which the caller frees. */
static enum verdict parse_alone(const uint8_t *frame, uint32_t length, uint8_t **block,
                                struct parsed *parsed) {
    *block = malloc(length > 0 ? length : 1);
    assert_non_null(*block);
    memcpy(*block, frame, length);
    return parse_frame(*block, length, parsed);
}

static void test_each_fault_is_told_apart(void **state) {
    struct capture capture = make_capture(500);
    uint32_t seen[VERDICTS] = {0}, dns = 0, ipv6 = 0, unsummed = 0;
    uint8_t frame[FRAME_BYTES_MAX], *block;
    struct parsed parsed;
    (void)state;
    for (uint64_t i = 0; i < 40000; i++) {
        rng random = rng_at(1, i);
        struct truth truth = capture_frame(&capture, &random, frame);
        enum verdict verdict = parse_alone(frame, truth.length, &block, &parsed);
        assert_int_equal(verdict, truth.verdict);
        seen[verdict]++;
        if (verdict == FORWARD) {
            const struct translation to = {{192, 0, 2, (uint8_t)i}, {(uint8_t)i, 1}};
            assert_int_equal(flow_number(&parsed.key), truth.flow);
            assert_true(checksums_hold(block, &parsed));
            uint8_t hops = block[parsed.network + (parsed.key.version == 6 ? 7 : 8)];
            rewrite_frame(block, &parsed, &to);
            assert_true(checksums_hold(block, &parsed));
            assert_int_equal(block[parsed.network + (parsed.key.version == 6 ? 7 : 8)], hops - 1);
            dns += parsed.is_dns;
            ipv6 += parsed.key.version == 6;
            unsummed += be16(transport_checksum(block, &parsed)) == 0;
        }
        free(block);
    }
    for (int verdict = 1; verdict < VERDICTS; verdict++)
        assert_in_range(seen[verdict], 1800, 2700); /* of 20,000 with nine kinds */
    assert_true(dns > 500 && ipv6 > 5000 && unsummed > 100);
}

static void test_a_frame_cut_anywhere_is_malformed(void **state) {
    struct capture capture = make_capture(0);
    uint8_t frame[FRAME_BYTES_MAX], *block;
    struct parsed whole, parsed;
    (void)state;
    for (uint64_t i = 0; i < 60; i++) {
        rng random = rng_at(2, i);
        struct truth truth = capture_frame(&capture, &random, frame);
        assert_int_equal(parse_frame(frame, truth.length, &whole), FORWARD);
        for (uint32_t length = 0; length <= truth.length; length++) {
            enum verdict verdict = parse_alone(frame, length, &block, &parsed);
            assert_int_equal(verdict != FORWARD, length < whole.end);
            free(block);
        }
    }
}

/* Bytes anywhere are changed, and the IPv4 checksum made right again so that what is behind it is
 * reached. */
static void test_any_frame_is_survived(void **state) {
    struct capture capture = make_capture(100);
    uint8_t frame[FRAME_BYTES_MAX], *block;
    struct parsed parsed;
    (void)state;
    for (uint64_t i = 0; i < 100000; i++) {
        rng random = rng_at(4, i);
        struct truth truth = capture_frame(&capture, &random, frame);
        uint64_t reach = truth.length < 100 || i % 2 ? truth.length : 100;
        for (uint64_t changes = 1 + rng_below(&random, 4); changes > 0; changes--)
            frame[rng_below(&random, reach)] = (uint8_t)rng_u64(&random);
        if (truth.length >= ETHERNET_BYTES + IPV4_BYTES && be16(frame + 12) == ETHERTYPE_IPV4)
            put_ipv4_checksum(frame + ETHERNET_BYTES);
        enum verdict verdict = parse_alone(frame, truth.length, &block, &parsed);
        assert_in_range(verdict, FORWARD, VERDICTS - 1);
        if (verdict == FORWARD) {
            assert_true(parsed.end <= truth.length && parsed.name_length <= DNS_NAME_MAX);
            rewrite_frame(block, &parsed, &(struct translation){{192, 0, 2, 1}, {4, 1}});
        }
        free(block);
    }
}

/* What parsing a name at `at` of a message says, with the message in a block of its own. */
static enum verdict name_verdict(const uint8_t *message, uint32_t length, uint32_t at,
                                 uint32_t *used) {
    char name[DNS_NAME_MAX];
    uint8_t *block = malloc(length);
    assert_non_null(block);
    memcpy(block, message, length);
    struct dns_cursor cursor = {block, length, at};
    enum verdict verdict = dns_name(&cursor, name, used);
    free(block);
    return verdict;
}

static void test_compression_loops_end(void **state) {
    static const uint8_t self[] = {0xc0, 0};
    static const uint8_t each_other[] = {0xc0, 2, 0xc0, 0};
    static const uint8_t behind_label[] = {1, 'a', 0xc0, 0}; /* a.a.a. and so on */
    static const uint8_t forward[] = {0xc0, 2, 0};
    static const uint8_t chain[] = {1, 'a', 0, 1, 'b', 0xc0, 0, 1, 'c', 0xc0, 3};
    static const uint8_t half[] = {0, 0xc0};
    uint32_t used;
    (void)state;
    assert_int_equal(name_verdict(self, sizeof self, 0, &used), BAD_POINTER);
    assert_int_equal(name_verdict(each_other, sizeof each_other, 0, &used), BAD_POINTER);
    assert_int_equal(name_verdict(each_other, sizeof each_other, 2, &used), BAD_POINTER);
    assert_int_equal(name_verdict(behind_label, sizeof behind_label, 0, &used), BAD_POINTER);
    assert_int_equal(name_verdict(forward, sizeof forward, 0, &used), BAD_POINTER);
    assert_int_equal(name_verdict(half, sizeof half, 1, &used), BAD_NAME);
    assert_int_equal(name_verdict(chain, sizeof chain, 7, &used), FORWARD);
    assert_int_equal(used, 6); /* c.b.a. */
}

static void test_labels_have_limits(void **state) {
    static const uint8_t reserved[][2] = {{0x40, 0}, {0x80, 0}, {0xbf, 0}};
    static const uint8_t beyond[] = {3, 'a', 'b'}, unended[] = {1, 'a'};
    uint8_t longest[4 * 64 + 1] = {0};
    uint32_t used;
    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(name_verdict(reserved[i], 2, 0, &used), BAD_NAME);
    assert_int_equal(name_verdict(beyond, sizeof beyond, 0, &used), BAD_NAME);
    assert_int_equal(name_verdict(unended, sizeof unended, 0, &used), BAD_NAME);
    for (int i = 0; i < 4; i++)
        longest[64 * i] = 63;
    assert_int_equal(name_verdict(longest, sizeof longest, 0, &used), BAD_NAME); /* 256 */
    longest[64 * 3] = 62;
    longest[64 * 3 + 63] = 0;
    assert_int_equal(name_verdict(longest, sizeof longest, 0, &used), FORWARD);
    assert_int_equal(used, 255);
}

/* The examples of RFC 1071, 3 and RFC 1624, 4. */
static void test_checksums_are_those_of_the_standards(void **state) {
    static const uint8_t summed[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
    uint8_t checksum[] = {0xdd, 0x2f}, word[] = {0x55, 0x55}, with[] = {0x32, 0x85};
    uint16_t sum = sum_fold(sum_words(0, summed, sizeof summed));
    (void)state;
    assert_memory_equal(&sum, ((uint8_t[]){0xdd, 0xf2}), 2);
    sum = sum_fold(sum_words(0, summed, 7)); /* an odd number: a zero is added */
    assert_memory_equal(&sum, ((uint8_t[]){0xdc, 0xfb}), 2);
    replace_word(checksum, word, with);
    assert_memory_equal(checksum, ((uint8_t[]){0, 0}), 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_fault_is_told_apart),
        cmocka_unit_test(test_a_frame_cut_anywhere_is_malformed),
        cmocka_unit_test(test_any_frame_is_survived),
        cmocka_unit_test(test_compression_loops_end),
        cmocka_unit_test(test_labels_have_limits),
        cmocka_unit_test(test_checksums_are_those_of_the_standards),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
