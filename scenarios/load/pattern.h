/* SPDX-License-Identifier: MIT */
/* pattern.h - bytes that follow from an id, and reading them back.
 *
 * Cheap enough (one addition a word) that stresses of allocation remain what they are.
 */
#ifndef TAILRACE_LOAD_PATTERN_H
#define TAILRACE_LOAD_PATTERN_H

#include "memory/scenario.h"

/* The n-th word of it. */
static inline uint64_t pattern_word(uint64_t id, uint64_t n) {
    return hash_u64(id) + n * RNG_GOLDEN;
}

static inline void pattern_fill(unsigned char *at, size_t bytes, uint64_t id) {
    uint64_t word = pattern_word(id, 0);
    for (; bytes >= sizeof word; at += sizeof word, bytes -= sizeof word, word += RNG_GOLDEN)
        memcpy(at, &word, sizeof word);
    memcpy(at, &word, bytes);
}

/* The hash of bytes that pattern_fill wrote, all of them read back. */
static inline uint64_t pattern_hash(const unsigned char *at, size_t bytes, uint64_t id) {
    uint64_t word = pattern_word(id, 0), sum = bytes, wrong = 0, found;
    for (; bytes >= sizeof word; at += sizeof word, bytes -= sizeof word, word += RNG_GOLDEN) {
        memcpy(&found, at, sizeof found);
        wrong |= found ^ word;
        sum += found;
    }
    found = 0;
    memcpy(&found, at, bytes);
    wrong |= found ^ (word & (((uint64_t)1 << 8 * bytes) - 1));
    if (wrong)
        host_violation("an object holds other bytes than were written to it");
    return hash_pair(id, sum + found);
}

#endif
