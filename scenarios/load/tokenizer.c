/* SPDX-License-Identifier: MIT */
/* tokenizer.c - the tokeniser of a language model's server: byte-pair encoding, and now and then
 * an attention cache.
 *
 * A request tokenises a passage of text: cut into words, split into one small
 * object for each byte, merged by a queue of pairs (bpe_encode.h), appended to an array of ids that
 * grows. Then the ids are decoded, and the text must come out. It is the algorithm of Sennrich,
 * Haddow, Birch (2016) in GPT-2's variant on bytes (Radford et al., 2019), its vocabulary trained
 * from the text that the passages are cut from (scenarios/data/train_bpe.py). Lengths are
 * log-normal with the median `passage_bytes`, from 100 B to 4 KiB. One request in `cache_every`
 * (on average) also begins a conversation: a buffer of `kv_low` to `kv_high` MiB, the sizes of
 * mimalloc-bench's malloc-large, a byte of each page touched, takes the place of the oldest of
 * `live` such buffers, which is looked through and given back, mostly by another thread than made
 * it. A vocabulary is a long-lived scope, one for each worker; a request is another, each cache
 * one.
 *
 * Stresses bursts of hundreds of tiny linked objects beside a few buffers that the heap takes from
 * the kernel and gives back. Read the median as the price of small objects, with and without a
 * scope that frees them all, and the tail as that of page faults and of what collectors do after
 * a large allocation.
 */
#include "load/bpe_encode.h"
#include "load/held_buffers.h"

#define TEXT_FILE "bpe-text.txt"
#define MERGES_FILE "bpe-merges.txt"
#define TEXT_BEGINS "\n------------------------------------------------------------------------\n"
#define PASSAGE_BYTES_MIN 100
#define PASSAGE_BYTES_MAX 4096
#define PASSAGE_SIGMA 0.9 /* of the logarithm: the mean is 1.5 times the median */
#define DECODED_BYTES_FIRST 64

struct text {
    uint32_t length, capacity;
    char bytes[];
};
_Static_assert(PASSAGE_BYTES_MAX <= WORD_BYTES_MAX, "a passage may be one word");

static const mem_type text_type = {
    .name = "text", .id = 9, .size = sizeof(struct text), .trailing_max = 2 * PASSAGE_BYTES_MAX};
struct state {
    struct vocabularies vocabularies;
    struct held caches;
    uint64_t cache_every, kv_low, kv_high, passage_bytes;
    char *file; /* plain memory */
    const char *text;
    size_t text_bytes;
};
struct request {
    size_t at;
    uint32_t length;
    uint64_t cache_pages, cache_seed; /* pages 0: none */
};

static struct text *text_new(mem_thread *t, mem_scope *s, uint32_t capacity) {
    struct text *text = mem_new(t, s, &text_type, capacity);
    text->length = 0;
    text->capacity = capacity;
    return text;
}
static struct text *text_put(mem_thread *t, mem_scope *s, struct text *text, const char *bytes,
                             uint32_t length) {
    uint32_t capacity = text->capacity;
    while (capacity < text->length + length)
        capacity *= 2;
    if (capacity > text->capacity) {
        text = mem_resize(t, s, &text_type, text, text->capacity, capacity);
        text->capacity = capacity;
    }
    memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
    return text;
}

/* Decodes; the hash of the ids and of what they stand for, which must be the passage. */
static uint64_t decode(struct encoder *e, const struct text *passage) {
    struct text *decoded = text_new(e->t, e->s, DECODED_BYTES_FIRST);
    for (uint32_t k = 0; k < e->ids->count; k++) {
        const struct token *token = vocabulary_token(e->v, e->ids->values[k]);
        if (decoded->length + token->length > passage->length)
            host_violation("tokenizer: tokens stand for more than was tokenised");
        decoded = text_put(e->t, e->s, decoded, token->bytes, token->length);
    }
    if (decoded->length != passage->length ||
        memcmp(decoded->bytes, passage->bytes, passage->length) != 0)
        host_violation("tokenizer: decoded tokens are not the text that was tokenised");
    uint64_t hash = hash_bytes(e->ids->count, e->ids->values, e->ids->count * sizeof(uint32_t));
    hash = hash_bytes(hash, decoded->bytes, decoded->length);
    mem_drop(e->t, e->s, &text_type, decoded);
    return hash;
}

static uint64_t tokenizer_execute(mem_thread *t, void *prepared, uint64_t i, const void *in) {
    struct state *state = prepared;
    const struct request *request = in;
    mem_unblock(t);
    mem_scope *s = mem_scope_begin(t);
    struct text *passage = text_new(t, s, request->length);
    passage = text_put(t, s, passage, state->text + request->at, request->length);
    struct vocabulary *vocabulary = vocabulary_take(t, &state->vocabularies);
    struct encoder e = encoder_begin(t, s, vocabulary);
    encode(&e, passage->bytes, passage->length);
    uint64_t hash = decode(&e, passage);
    encoder_end(&e);
    vocabulary_put(t, &state->vocabularies, vocabulary);
    mem_drop(t, s, &text_type, passage);
    if (request->cache_pages > 0)
        hash +=
            held_replace(t, &state->caches, HELD_OLDEST, request->cache_seed, request->cache_pages);
    mem_scope_end(t, s);
    mem_block(t);
    return hash_pair(i, hash);
}

static uint64_t draw_cache_pages(const struct state *state, rng *random) {
    uint64_t spread = (state->kv_high - state->kv_low) * HELD_PAGES_A_MIB;
    return state->kv_low * HELD_PAGES_A_MIB + rng_below(random, spread + 1);
}

static void tokenizer_prepare(const void *prepared, uint64_t seed, uint64_t i, void *into) {
    const struct state *state = prepared;
    struct request *request = into;
    rng random = rng_at(seed, i);
    double normal = sqrt(2 * rng_exponential(&random, 1)) * cos(2 * M_PI * rng_unit(&random));
    double length = (double)state->passage_bytes * exp(PASSAGE_SIGMA * normal);
    length = fmin(fmax(length, PASSAGE_BYTES_MIN), PASSAGE_BYTES_MAX);
    request->length = (uint32_t)length;
    request->at = rng_below(&random, state->text_bytes - request->length + 1);
    bool begins = rng_below(&random, state->cache_every) == 0;
    request->cache_pages = begins ? draw_cache_pages(state, &random) : 0;
    request->cache_seed = rng_u64(&random);
}

static bool load_text(struct state *state, const struct scenario_setup *in) {
    size_t length;
    state->file = bpe_read_file(in, TEXT_FILE, &length);
    const char *begins = state->file ? strstr(state->file, TEXT_BEGINS) : NULL;
    if (!begins) {
        if (state->file)
            snprintf(in->error, in->error_bytes, "tokenizer: %s/" TEXT_FILE " lacks its head",
                     in->data_dir);
        return false;
    }
    state->text = begins + strlen(TEXT_BEGINS);
    state->text_bytes = length - (size_t)(state->text - state->file);
    if (state->text_bytes < PASSAGE_BYTES_MAX)
        snprintf(in->error, in->error_bytes, "tokenizer: %s/" TEXT_FILE " is too short",
                 in->data_dir);
    return state->text_bytes >= PASSAGE_BYTES_MAX;
}

static void *tokenizer_setup(mem_thread *t, const struct scenario_setup *in) {
    const SCENARIO_PARAMS *p = in->params;
    if (in->live > HELD_PLACES_MAX || p->kv_low > p->kv_high) {
        snprintf(in->error, in->error_bytes,
                 "tokenizer: live must be at most %d attention caches, and kv_low at most kv_high",
                 HELD_PLACES_MAX);
        return NULL;
    }
    struct state *state = mem_state_new(sizeof *state);
    state->cache_every = p->cache_every;
    state->kv_low = p->kv_low;
    state->kv_high = p->kv_high;
    state->passage_bytes = p->passage_bytes;
    if (!load_text(state, in) || !vocabularies_load(t, &state->vocabularies, in, MERGES_FILE))
        return NULL;
    held_begin(&state->caches, in->live, false);
    for (uint64_t n = 0; n < in->live; n++) {
        rng random = rng_at(in->seed, n ^ 0xcac4e);
        uint64_t pages = draw_cache_pages(state, &random);
        held_replace(t, &state->caches, HELD_OLDEST, rng_u64(&random), pages);
    }
    return state;
}

/* No value that requests change outlives them. */
static void tokenizer_reset(mem_thread *t, void *state) {
    (void)t, (void)state;
}

static uint64_t tokenizer_live_bytes(const void *prepared) {
    const struct state *state = prepared;
    return vocabularies_bytes(&state->vocabularies) + held_bytes(&state->caches);
}

static uint64_t tokenizer_finish(mem_thread *t, void *prepared) {
    struct state *state = prepared;
    held_end(t, &state->caches);
    uint64_t sum = vocabularies_end(t, &state->vocabularies);
    free(state->file);
    mem_state_free(state);
    return sum;
}

const struct scenario scenario_tokenizer = {.name = "tokenizer",
                                            .request_bytes = sizeof(struct request),
                                            .setup = tokenizer_setup,
                                            .prepare = tokenizer_prepare,
                                            .execute = tokenizer_execute,
                                            .reset = tokenizer_reset,
                                            .live_bytes = tokenizer_live_bytes,
                                            .finish = tokenizer_finish,
                                            SCENARIO_MEMORY};
