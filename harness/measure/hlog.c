/* SPDX-License-Identifier: MIT */
/* hlog.c - encodes histograms as HdrHistogram does: V2 payload, log lines, percentile table. */
#include "measure/hlog.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

#define V2_COOKIE 0x1c849313u
#define V2_COMPRESSED_COOKIE 0x1c849314u
#define SIGNIFICANT_DIGITS 2
#define COUNT_BYTES_MAX 9 /* of one count as LEB128-64b9B */
#define HEADER_BYTES 40
#define PLAIN_BYTES_MAX (HEADER_BYTES + COUNT_BYTES_MAX * HISTOGRAM_BUCKETS)
/* More than compressBound(PLAIN_BYTES_MAX), which is no constant. */
#define PACKED_BYTES_MAX (8 + PLAIN_BYTES_MAX + PLAIN_BYTES_MAX / 1000 + 64)

/* With two digits and 1 as the lowest value readers take 256 sub-buckets, and as many buckets as
 * reach this value: exactly ours. */
#define HIGHEST_TRACKABLE ((1ull << HISTOGRAM_VALUE_BITS) - 1)
#define SUB_BUCKETS (2 * HISTOGRAM_HALF)
#define BUCKETS (HISTOGRAM_BUCKETS / HISTOGRAM_HALF - 1)

#define TICKS_PER_HALF_DISTANCE 5
#define MS_PER_NS 1e-6

static uint8_t *put_big_endian(uint8_t *to, uint64_t value, uint32_t bytes) {
    for (uint32_t i = bytes; i-- > 0;)
        *to++ = (uint8_t)(value >> (8 * i));
    return to;
}

/* ZigZag, then 7 bits a byte from the lowest; a ninth byte holds 8, so that nine always do. */
static uint8_t *put_count(uint8_t *to, int64_t value) {
    uint64_t rest = (uint64_t)value << 1 ^ (uint64_t)(value >> 63);
    for (int i = 0; i < COUNT_BYTES_MAX - 1 && rest >= 0x80; i++, rest >>= 7)
        *to++ = (uint8_t)(rest | 0x80);
    *to++ = (uint8_t)rest;
    return to;
}

/* Counts up to the last that is not zero (at least one); two or more zeros as minus their number.
 */
static uint8_t *put_counts(uint8_t *to, const struct histogram *h) {
    uint32_t used = HISTOGRAM_BUCKETS, zeros;
    while (used > 1 && h->buckets[used - 1] == 0)
        used--;
    for (uint32_t i = 0; i < used; i += zeros ? zeros : 1) {
        for (zeros = 0; i + zeros < used && h->buckets[i + zeros] == 0;)
            zeros++;
        assert(h->buckets[i] <= INT64_MAX);
        to = put_count(to, zeros > 1 ? -(int64_t)zeros : (int64_t)h->buckets[i]);
    }
    return to;
}

static size_t encode_plain(const struct histogram *h, uint8_t *plain) {
    const double conversion_ratio = 1;
    uint64_t ratio_bits;
    memcpy(&ratio_bits, &conversion_ratio, sizeof ratio_bits);
    uint8_t *end = put_counts(plain + HEADER_BYTES, h), *to = plain;
    to = put_big_endian(to, V2_COOKIE, 4);
    to = put_big_endian(to, (uint64_t)(end - plain) - HEADER_BYTES, 4);
    to = put_big_endian(to, 0, 4); /* normalizing index offset */
    to = put_big_endian(to, SIGNIFICANT_DIGITS, 4);
    to = put_big_endian(to, 1, 8); /* lowest discernible value */
    to = put_big_endian(to, HIGHEST_TRACKABLE, 8);
    put_big_endian(to, ratio_bits, 8);
    assert(end <= plain + PLAIN_BYTES_MAX);
    return (size_t)(end - plain);
}

static char *base64(const uint8_t *bytes, size_t count) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *text = malloc((count + 2) / 3 * 4 + 1), *to = text;
    for (size_t i = 0; text && i < count; i += 3) {
        uint32_t have = count - i < 3 ? (uint32_t)(count - i) : 3, three = (uint32_t)bytes[i] << 16;
        three |= have > 1 ? (uint32_t)bytes[i + 1] << 8 : 0;
        three |= have > 2 ? (uint32_t)bytes[i + 2] : 0;
        for (uint32_t digit = 0; digit < 4; digit++)
            *to++ = digit <= have ? digits[three >> (18 - 6 * digit) & 63] : '=';
    }
    if (text)
        *to = '\0';
    return text;
}

char *hlog_encode(const struct histogram *h) {
    uint8_t plain[PLAIN_BYTES_MAX], packed[PACKED_BYTES_MAX];
    uLongf packed_bytes = sizeof packed - 8;
    size_t plain_bytes = encode_plain(h, plain);
    if (compress2(packed + 8, &packed_bytes, plain, (uLong)plain_bytes, Z_BEST_COMPRESSION) != Z_OK)
        return NULL; /* zlib has no memory: there is room enough */
    put_big_endian(put_big_endian(packed, V2_COMPRESSED_COOKIE, 4), packed_bytes, 4);
    return base64(packed, packed_bytes + 8);
}

bool hlog_write_header(FILE *file, double start_wall_s) {
    time_t whole_s = (time_t)start_wall_s;
    struct tm utc;
    char date[32];
    gmtime_r(&whole_s, &utc);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", &utc);
    return fprintf(file,
                   "#[Histogram log format version 1.3]\n"
                   "#[StartTime: %.3f (seconds since epoch), %s]\n"
                   "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\","
                   "\"Interval_Compressed_Histogram\"\n",
                   start_wall_s, date) > 0;
}

static bool write_tag(FILE *file, const char *tag) {
    if (fputs("Tag=", file) < 0)
        return false;
    for (; *tag; tag++)
        if (fputc((unsigned char)*tag <= ' ' || *tag == ',' ? '_' : *tag, file) == EOF)
            return false;
    return true;
}

/* Field 2 is the length, not the end; microseconds, as an interval may be short. The maximum is for
 * people, readers take it from the counts. */
bool hlog_write_intervals(FILE *file, const char *tag, const struct hlog_interval *intervals,
                          size_t count) {
    for (size_t i = 0; i < count; i++) {
        const struct hlog_interval *one = &intervals[i];
        char *payload = hlog_encode(one->histogram);
        bool written = payload && write_tag(file, tag) &&
                       fprintf(file, ",%.6f,%.6f,%.6f,%s\n", one->start_s, one->length_s,
                               (double)one->histogram->max_ns * MS_PER_NS, payload) > 0;
        free(payload);
        if (!written)
            return false;
    }
    return true;
}

bool hlog_write(FILE *file, const char *tag, double start_wall_s,
                const struct hlog_interval *intervals, size_t count) {
    return hlog_write_header(file, start_wall_s) &&
           hlog_write_intervals(file, tag, intervals, count);
}

/* What HdrHistogram takes for a bucket's values when it computes means. */
static double middle_ns(uint32_t index) {
    uint64_t lowest_ns = index ? histogram_highest_ns(index - 1) + 1 : 0;
    uint64_t width_ns = histogram_highest_ns(index) - lowest_ns + 1;
    return (double)(lowest_ns + (width_ns >> 1));
}

static void mean_and_deviation_ns(const struct histogram *h, double *mean, double *deviation) {
    double sum = 0, squares = 0, count = h->count ? (double)h->count : 1;
    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++)
        sum += (double)h->buckets[i] * middle_ns(i);
    *mean = sum / count;
    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS && h->count; i++)
        squares += (double)h->buckets[i] * (middle_ns(i) - *mean) * (middle_ns(i) - *mean);
    *deviation = sqrt(squares / count);
}

/* The next percentage to tell: as many steps to each half of what is left to 100. */
static double next_percent(double percent) {
    double halvings = floor(log(100 / (100 - percent)) / log(2));
    return percent + 100 / (TICKS_PER_HALF_DISTANCE * exp2(halvings + 1));
}

/* One row for every percentage that a bucket reaches, and one for all; the last bucket's further
 * ones would go on for ever. Returns the highest value. */
static bool write_rows(FILE *file, const struct histogram *h, double *highest_ms) {
    uint64_t seen = 0;
    double percent = 0;
    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS && seen < h->count; i++) {
        if (h->buckets[i] == 0)
            continue;
        seen += h->buckets[i];
        *highest_ms = (double)histogram_highest_ns(i) * MS_PER_NS;
        for (bool more = true; more && 100 * (double)seen / (double)h->count >= percent;
             percent = next_percent(percent)) {
            if (fprintf(file, "%12.6f %2.12f %10llu %14.2f\n", *highest_ms, percent / 100,
                        (unsigned long long)seen, 1 / (1 - percent / 100)) < 0)
                return false;
            more = seen < h->count;
        }
    }
    return h->count == 0 ||
           fprintf(file, "%12.6f %2.12f %10llu\n", *highest_ms, 1.0, (unsigned long long)seen) > 0;
}

bool hgrm_write(FILE *file, const struct histogram *h) {
    double mean_ns, deviation_ns, highest_ms = 0;
    mean_and_deviation_ns(h, &mean_ns, &deviation_ns);
    return fprintf(file, "%12s %14s %10s %14s\n\n", "Value", "Percentile", "TotalCount",
                   "1/(1-Percentile)") > 0 &&
           write_rows(file, h, &highest_ms) &&
           fprintf(file,
                   "#[Mean    = %12.6f, StdDeviation   = %12.6f]\n"
                   "#[Max     = %12.6f, Total count    = %12llu]\n"
                   "#[Buckets = %12d, SubBuckets     = %12d]\n",
                   mean_ns * MS_PER_NS, deviation_ns * MS_PER_NS, highest_ms,
                   (unsigned long long)h->count, (int)BUCKETS, (int)SUB_BUCKETS) > 0;
}
