/* SPDX-License-Identifier: MIT */
/* kv_value.h - the values of kv-store: bytes that tell whether they belong together.
 *
 * Each word of a value follows from its key and place, under a mask that follows from the stamp of
 * the write that made it. Without the mask, what is read is the same whichever write came last: so
 * it can be part of the checksum; and a word of another value, or of none, is found out.
 */
#ifndef TAILRACE_LOAD_KV_VALUE_H
#define TAILRACE_LOAD_KV_VALUE_H

#include "memory/scenario.h"

#define VALUE_BYTES_MIN 16
#define VALUE_BYTES_MAX 4096
/* Sizes of values in Facebook's pool ETC: generalised Pareto with location 0 (Atikoglu et al.,
 * Workload Analysis of a Large-Scale Key-Value Store, 2012, section 5). */
#define PARETO_SCALE 214.476
#define PARETO_SHAPE 0.348238

/* Immutable. */
struct value {
    uint64_t key, stamp;
    uint32_t bytes, version; /* version: of writes to the key */
    unsigned char data[];
};
static const mem_type value_type = {
    .name = "value", .id = 0, .size = sizeof(struct value), .trailing_max = VALUE_BYTES_MAX};

static uint16_t value_draw_bytes(rng *random, uint64_t bytes_max) {
    double bytes = PARETO_SCALE / PARETO_SHAPE * (pow(rng_unit(random), -PARETO_SHAPE) - 1);
    return bytes < VALUE_BYTES_MIN     ? VALUE_BYTES_MIN
           : bytes > (double)bytes_max ? (uint16_t)bytes_max
                                       : (uint16_t)bytes;
}

static inline uint64_t value_mask(uint64_t stamp) {
    return hash_u64(stamp + RNG_GOLDEN);
}

static struct value *value_new(mem_thread *t, mem_scope *s, uint64_t seed, uint64_t key,
                               uint64_t stamp, uint32_t bytes, uint32_t version) {
    struct value *value = mem_new(t, s, &value_type, bytes);
    uint64_t word = hash_pair(seed, key), mask = value_mask(stamp), masked;
    uint32_t at = 0;
    value->key = key;
    value->stamp = stamp;
    value->bytes = bytes;
    value->version = version;
    for (; bytes - at >= sizeof masked; at += sizeof masked, word += RNG_GOLDEN) {
        masked = word ^ mask;
        memcpy(value->data + at, &masked, sizeof masked);
    }
    masked = word ^ mask;
    memcpy(value->data + at, &masked, bytes - at);
    return value;
}

static struct value *value_copy(mem_thread *t, mem_scope *s, const struct value *value) {
    struct value *copy = mem_new(t, s, &value_type, value->bytes);
    copy->key = value->key;
    copy->stamp = value->stamp;
    copy->bytes = value->bytes;
    copy->version = value->version;
    memcpy(copy->data, value->data, value->bytes);
    return copy;
}

/* Makes a copy the value of the next write; nobody else has it yet. */
static void value_restamp(struct value *copy, uint64_t stamp) {
    uint64_t change = value_mask(copy->stamp) ^ value_mask(stamp), word;
    uint32_t at = 0;
    copy->stamp = stamp;
    copy->version++;
    for (; copy->bytes - at >= sizeof word; at += sizeof word) {
        memcpy(&word, copy->data + at, sizeof word);
        word ^= change;
        memcpy(copy->data + at, &word, sizeof word);
    }
    for (; at < copy->bytes; at++, change >>= 8)
        copy->data[at] ^= (unsigned char)change;
}

/* Of what follows from the key alone, read back. */
static uint64_t value_hash(const struct value *value) {
    uint64_t words[VALUE_BYTES_MIN / sizeof(uint64_t)], mask = value_mask(value->stamp);
    memcpy(words, value->data, sizeof words);
    return hash_pair(value->key, hash_pair(words[0] ^ mask, words[1] ^ mask));
}

/* The same, of a value each of whose bytes is what it is to be. */
static uint64_t value_check(const struct value *value, uint64_t seed, uint64_t key) {
    uint64_t word = hash_pair(seed, key), mask = value_mask(value->stamp), read, wrong = 0;
    uint32_t at = 0;
    if (value->key != key || value->bytes < VALUE_BYTES_MIN || value->bytes > VALUE_BYTES_MAX)
        host_violation("kv-store: a value of another key was read, or no value");
    for (; value->bytes - at >= sizeof read; at += sizeof read, word += RNG_GOLDEN) {
        memcpy(&read, value->data + at, sizeof read);
        wrong |= read ^ word ^ mask;
    }
    read = word ^ mask;
    if (wrong || memcmp(value->data + at, &read, value->bytes - at) != 0)
        host_violation("kv-store: the bytes of a value do not belong together");
    return value_hash(value);
}

#endif
