/* SPDX-License-Identifier: MIT */
/* test_hlog.c - what is encoded is decoded back, count by count; the text of logs and tables. */
#include "base/rng.h"
#include "measure/hlog.h"
#include "tests/cmocka_all.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define HEADER_BYTES 40
#define PLAIN_BYTES_MAX (HEADER_BYTES + 9 * HISTOGRAM_BUCKETS)

static uint64_t big_endian(const uint8_t *from, int bytes) {
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++)
        value = value << 8 | from[i];
    return value;
}

/* By the specification of base64, not by the encoder: digits to bits, bits to bytes. */
static size_t decode_base64(const char *text, uint8_t *bytes) {
    size_t length = strlen(text), count = 0;
    uint32_t bits = 0, held = 0;
    assert_int_equal(length % 4, 0);
    for (; *text && *text != '='; text++) {
        char c = *text;
        int digit = c >= 'A' && c <= 'Z'   ? c - 'A'
                    : c >= 'a' && c <= 'z' ? c - 'a' + 26
                    : c >= '0' && c <= '9' ? c - '0' + 52
                    : c == '+'             ? 62
                    : c == '/'             ? 63
                                           : -1;
        assert_true(digit >= 0);
        bits = bits << 6 | (uint32_t)digit;
        held += 6;
        if (held >= 8)
            bytes[count++] = (uint8_t)(bits >> (held -= 8));
    }
    assert_true(strlen(text) <= 2 && (length / 4 * 3) - strlen(text) == count);
    return count;
}

/* Takes the outer coat off: base64 and deflate. Returns the number of plain bytes. */
static size_t unpack(const char *text, uint8_t *plain) {
    static uint8_t packed[2 * PLAIN_BYTES_MAX];
    uLongf plain_bytes = PLAIN_BYTES_MAX;
    assert_true(strlen(text) / 4 * 3 <= sizeof packed);
    size_t packed_bytes = decode_base64(text, packed);
    assert_int_equal(big_endian(packed, 4), 0x1c849314);
    assert_int_equal(big_endian(packed + 4, 4), packed_bytes - 8);
    assert_int_equal(uncompress(plain, &plain_bytes, packed + 8, (uLong)packed_bytes - 8), Z_OK);
    return plain_bytes;
}

static int64_t decode_count(const uint8_t **from) {
    uint64_t value = 0;
    for (int i = 0; i < 9; i++) {
        uint64_t byte = *(*from)++;
        value |= (i < 8 ? byte & 0x7f : byte) << (7 * i);
        if (byte < 0x80)
            break;
    }
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

/* Decodes into `buckets`; returns how many of them the encoding tells of. */
static uint32_t decode(const char *text, uint64_t *buckets) {
    static uint8_t plain[PLAIN_BYTES_MAX];
    size_t plain_bytes = unpack(text, plain);
    const uint8_t *from = plain + HEADER_BYTES;
    uint32_t told = 0;
    assert_int_equal(big_endian(plain, 4), 0x1c849313);
    assert_int_equal(big_endian(plain + 4, 4), plain_bytes - HEADER_BYTES);
    assert_int_equal(big_endian(plain + 8, 4), 0);
    assert_int_equal(big_endian(plain + 12, 4), 2);
    assert_int_equal(big_endian(plain + 16, 8), 1);
    assert_int_equal(big_endian(plain + 24, 8), 137438953471);
    assert_int_equal(big_endian(plain + 32, 8), 0x3ff0000000000000);
    memset(buckets, 0, HISTOGRAM_BUCKETS * sizeof *buckets);
    while (from < plain + plain_bytes) {
        int64_t count = decode_count(&from);
        assert_true(count < 0 ? count >= -(int64_t)(HISTOGRAM_BUCKETS - told)
                              : told < HISTOGRAM_BUCKETS);
        if (count >= 0)
            buckets[told] = (uint64_t)count;
        told += count < 0 ? (uint32_t)-count : 1;
    }
    assert_true(from == plain + plain_bytes);
    return told;
}

static void hold_round_trip(const struct histogram *h, uint32_t used) {
    static uint64_t buckets[HISTOGRAM_BUCKETS];
    char *text = hlog_encode(h);
    assert_non_null(text);
    assert_int_equal(decode(text, buckets), used);
    assert_memory_equal(buckets, h->buckets, sizeof buckets);
    free(text);
}

static void test_empty(void **state) {
    static struct histogram h;
    (void)state;
    hold_round_trip(&h, 1);
}

static void test_one_value(void **state) {
    static const uint64_t values[] = {0, 1, 2, 255, 256, 1000000, (1ull << 37) - 1, UINT64_MAX};
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        static struct histogram h;
        h = (struct histogram){0};
        histogram_record(&h, values[i]);
        hold_round_trip(&h, histogram_index(values[i]) + 1);
    }
}

/* Runs of every length from 0 to 70 between counts, so that one and two zeros, and lengths of one
 * byte and of two, are among them. */
static void test_runs_of_zeros(void **state) {
    static struct histogram h;
    uint32_t last = 0;
    (void)state;
    for (uint32_t run = 0, i = 0; run <= 70; run++, i += run) {
        h.buckets[i] = run + 1;
        last = i;
    }
    hold_round_trip(&h, last + 1);
    memmove(h.buckets + 1, h.buckets, sizeof h.buckets - sizeof *h.buckets);
    h.buckets[0] = 0;
    hold_round_trip(&h, last + 2);
}

static void test_counts_of_every_length(void **state) {
    static struct histogram h;
    (void)state;
    for (uint32_t bit = 0; bit < 63; bit++) {
        h.buckets[3 * bit] = 1ull << bit;
        h.buckets[3 * bit + 1] = (2ull << bit) - 1;
    }
    assert_int_equal(h.buckets[3 * 62 + 1], INT64_MAX);
    hold_round_trip(&h, 3 * 62 + 2);
}

/* Nothing can take more room: every bucket has a count of nine bytes, and zlib gets no hold of it.
 */
static void test_full_and_random(void **state) {
    static struct histogram h;
    rng random = rng_at(3, 0);
    (void)state;
    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++)
        h.buckets[i] = rng_u64(&random) >> 1 | 1ull << 62;
    hold_round_trip(&h, HISTOGRAM_BUCKETS);
    for (int round = 0; round < 50; round++) {
        uint32_t last = 0;
        h = (struct histogram){0};
        for (uint64_t values = 1 + rng_below(&random, 3000); values > 0; values--) {
            uint64_t value_ns = rng_u64(&random) >> (26 + rng_below(&random, 38));
            histogram_record(&h, value_ns);
            last = histogram_index(value_ns) > last ? histogram_index(value_ns) : last;
        }
        hold_round_trip(&h, last + 1);
    }
}

/* What HdrHistogram 2.1.11 makes of the values 3, 3, 5 and 1000 before it deflates them. */
static void test_bytes_as_of_hdrhistogram(void **state) {
    static const uint8_t counts[] = {5, 4, 0, 2, 0xe7, 7, 2};
    static struct histogram h;
    static uint8_t plain[PLAIN_BYTES_MAX];
    (void)state;
    histogram_record(&h, 3), histogram_record(&h, 3), histogram_record(&h, 5);
    histogram_record(&h, 1000);
    char *text = hlog_encode(&h);
    assert_int_equal(unpack(text, plain), HEADER_BYTES + sizeof counts);
    assert_memory_equal(plain + HEADER_BYTES, counts, sizeof counts);
    free(text);
}

static char *written_log(const char *tag, const struct hlog_interval *intervals, size_t count) {
    char *text = NULL;
    size_t text_bytes;
    FILE *file = open_memstream(&text, &text_bytes);
    assert_true(hlog_write(file, tag, 1700000000.1234, intervals, count));
    assert_int_equal(fclose(file), 0);
    return text;
}

static void test_log_text(void **state) {
    static struct histogram h, none;
    char expected[8192];
    const struct hlog_interval intervals[] = {{0, 0.1, &h}, {0.1, 0.25, &none}};
    (void)state;
    histogram_record(&h, 1234567);
    char *one = hlog_encode(&h), *other = hlog_encode(&none);
    snprintf(expected, sizeof expected,
             "#[Histogram log format version 1.3]\n"
             "#[StartTime: 1700000000.123 (seconds since epoch), 2023-11-14T22:13:20Z]\n"
             "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\","
             "\"Interval_Compressed_Histogram\"\n"
             "Tag=a/b=1_2__c,0.000000,0.100000,1.234567,%s\n"
             "Tag=a/b=1_2__c,0.100000,0.250000,0.000000,%s\n",
             one, other);
    char *text = written_log("a/b=1 2,\nc", intervals, 2);
    assert_string_equal(text, expected);
    free(text);
    free(one);
    free(other);
}

static void test_a_full_disk_is_told(void **state) {
    static struct histogram h;
    const struct hlog_interval interval = {0, 1, &h};
    FILE *file = fopen("/dev/full", "we");
    (void)state;
    assert_non_null(file);
    setvbuf(file, NULL, _IONBF, 0);
    assert_false(hlog_write(file, "t", 0, &interval, 1));
    assert_false(hlog_write_intervals(file, "t", &interval, 1));
    assert_false(hgrm_write(file, &h));
    fclose(file);
}

static char *written_table(const struct histogram *h) {
    char *text = NULL;
    size_t text_bytes;
    FILE *file = open_memstream(&text, &text_bytes);
    assert_true(hgrm_write(file, h));
    assert_int_equal(fclose(file), 0);
    return text;
}

#define TABLE_HEAD "       Value     Percentile TotalCount 1/(1-Percentile)\n\n"

static void test_table(void **state) {
    static struct histogram h;
    (void)state;
    char *text = written_table(&h);
    assert_string_equal(text,
                        TABLE_HEAD "#[Mean    =     0.000000, StdDeviation   =     0.000000]\n"
                                   "#[Max     =     0.000000, Total count    =            0]\n"
                                   "#[Buckets =           30, SubBuckets     =          256]\n");
    free(text);
    for (int i = 0; i < 9; i++)
        histogram_record(&h, 100);
    histogram_record(&h, 2000000);
    text = written_table(&h);
    assert_string_equal(text,
                        TABLE_HEAD "    0.000100 0.000000000000          9           1.00\n"
                                   "    0.000100 0.100000000000          9           1.11\n"
                                   "    0.000100 0.200000000000          9           1.25\n"
                                   "    0.000100 0.300000000000          9           1.43\n"
                                   "    0.000100 0.400000000000          9           1.67\n"
                                   "    0.000100 0.500000000000          9           2.00\n"
                                   "    0.000100 0.550000000000          9           2.22\n"
                                   "    0.000100 0.600000000000          9           2.50\n"
                                   "    0.000100 0.650000000000          9           2.86\n"
                                   "    0.000100 0.700000000000          9           3.33\n"
                                   "    0.000100 0.750000000000          9           4.00\n"
                                   "    0.000100 0.775000000000          9           4.44\n"
                                   "    0.000100 0.800000000000          9           5.00\n"
                                   "    0.000100 0.825000000000          9           5.71\n"
                                   "    0.000100 0.850000000000          9           6.67\n"
                                   "    0.000100 0.875000000000          9           8.00\n"
                                   "    0.000100 0.887500000000          9           8.89\n"
                                   "    0.000100 0.900000000000          9          10.00\n"
                                   "    2.007039 0.912500000000         10          11.43\n"
                                   "    2.007039 1.000000000000         10\n"
                                   "#[Mean    =     0.200384, StdDeviation   =     0.600853]\n"
                                   "#[Max     =     2.007039, Total count    =           10]\n"
                                   "#[Buckets =           30, SubBuckets     =          256]\n");
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_empty),
                                       cmocka_unit_test(test_one_value),
                                       cmocka_unit_test(test_runs_of_zeros),
                                       cmocka_unit_test(test_counts_of_every_length),
                                       cmocka_unit_test(test_full_and_random),
                                       cmocka_unit_test(test_bytes_as_of_hdrhistogram),
                                       cmocka_unit_test(test_log_text),
                                       cmocka_unit_test(test_a_full_disk_is_told),
                                       cmocka_unit_test(test_table)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
