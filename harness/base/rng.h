/* SPDX-License-Identifier: MIT */
/* rng.h - seeded random numbers and the hash that checksums are made of.
 *
 * The generator is SplitMix64 (Steele, Lea, Flood 2014): one word of state, so that request i of a
 * stream can be drawn from (seed, i) alone, whichever thread comes to it. Not for secrets.
 */
#ifndef TAILRACE_BASE_RNG_H
#define TAILRACE_BASE_RNG_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define RNG_GOLDEN 0x9e3779b97f4a7c15ull

typedef struct rng {
    uint64_t state;
} rng;

/* Mixes 64 bits so that each input bit reaches every output bit. */
static inline uint64_t hash_u64(uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
    return x ^ (x >> 31);
}

static inline uint64_t hash_pair(uint64_t a, uint64_t b) {
    return hash_u64(hash_u64(a + RNG_GOLDEN) ^ b);
}

/* Hash of n bytes; reads every one of them. Same result on every little-endian machine. */
static inline uint64_t hash_bytes(uint64_t h, const void *bytes, size_t n) {
    const unsigned char *p = bytes;
    for (; n >= 8; p += 8, n -= 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        h = (h ^ word) * 0xff51afd7ed558ccdull;
        h ^= h >> 32;
    }
    uint64_t rest = n;
    for (; n > 0; n--)
        rest = rest << 8 | *p++;
    return hash_pair(h, rest);
}

/* The generator of item i of a stream. */
static inline rng rng_at(uint64_t seed, uint64_t i) {
    return (rng){hash_pair(seed, i)};
}

static inline uint64_t rng_u64(rng *r) {
    return hash_u64(r->state += RNG_GOLDEN);
}

/* Uniform in [0, n), n > 0, by multiplication (Lemire 2019; bias below n / 2^64). */
static inline uint64_t rng_below(rng *r, uint64_t n) {
    return (uint64_t)(((unsigned __int128)rng_u64(r) * n) >> 64);
}

/* The numbers 0 to count - 1 in a random order. */
static inline void rng_order(rng *r, uint32_t *order, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = (uint32_t)rng_below(r, i + 1);
        order[i] = order[at];
        order[at] = i;
    }
}

/* Uniform in (0, 1]: never 0, so that its logarithm is finite. */
static inline double rng_unit(rng *r) {
    return (double)((rng_u64(r) >> 11) + 1) * 0x1p-53;
}

static inline double rng_exponential(rng *r, double mean) {
    return -log(rng_unit(r)) * mean;
}

#endif
