/* SPDX-License-Identifier: MIT */
/* realloc_growth.c - buffers that grow step by step, many at once.
 *
 * The append of a dynamic array, whose growth is a matter of its own in the literature: by a factor
 * (twice, or one and a half times, as Folly's FBVector argues for, so that freed blocks can be used
 * again), or by a constant step, as log and string buffers do where memory is dear (Brodnik,
 * Carlsson, Demaine, Munro, Sedgewick: Resizable Arrays in Optimal Time and Space, 1999). `live`
 * buffers are in flight, each in a scope of its own and with a final size of its own, as many in
 * each octave from 1 KiB to `largest`. A request appends PIECES pieces of 8 to 512 bytes, each to a
 * buffer drawn anew, so that other buffers' blocks come to lie behind the one that grows. A buffer
 * that is full is summed up, given back, and begun again at 64 bytes.
 *
 * Stresses realloc: growing in place, moving pages instead of bytes (mremap), copying, and the
 * holes that outgrown blocks leave behind. Read the tail as the largest copies, and peak memory
 * over live bytes as those holes: an arena keeps every outgrown block until the buffer's end, most
 * of all with pattern=additive.
 */
#include "memory/scenario.h"

#include <stdio.h>

#define PIECES 8
#define PIECE_WORDS_MAX 64
#define CAPACITY_WORDS_FIRST 8
#define TARGET_BYTES_MIN 1024
#define BUFFERS_MAX 1024
#define BUFFER_BYTES_MAX ((uint32_t)128 << 20) /* four times more than any grows */

/* Sizes in words of 8 bytes. */
struct buffer {
    uint64_t capacity, length, sum; /* sum: of all words */
    uint64_t words[];
};
static const mem_type buffer_type = {
    .name = "buffer", .id = 0, .size = sizeof(struct buffer), .trailing_max = BUFFER_BYTES_MAX};

struct place {
    pthread_mutex_t lock;
    mem_scope *scope;
    struct buffer *buffer;               /* owned */
    uint64_t number, generation, target; /* target: words; immutable number */
    uint64_t total, capacity;            /* of words ever appended, a sum; the buffer's */
    char apart[64];                      /* two places share no cache line */
};
struct state {
    struct place *places; /* state memory */
    uint64_t count, seed, step_words, percent;
    double octaves; /* from the smallest target to the largest */
    bool additive;
};
struct piece {
    uint64_t place, words, seed;
};
struct request {
    struct piece pieces[PIECES];
};

/* Begins the next buffer of a place. */
static void begin_buffer(mem_thread *t, const struct state *state, struct place *place) {
    rng random = rng_at(hash_pair(state->seed, place->number), place->generation++);
    double bytes = TARGET_BYTES_MIN * exp2(rng_unit(&random) * state->octaves);
    place->target = (uint64_t)bytes / sizeof(uint64_t);
    place->scope = mem_scope_begin(t);
    place->buffer = mem_new(t, place->scope, &buffer_type, CAPACITY_WORDS_FIRST * sizeof(uint64_t));
    place->capacity = place->buffer->capacity = CAPACITY_WORDS_FIRST;
    place->buffer->length = place->buffer->sum = 0;
}

static void end_buffer(mem_thread *t, mem_scope *s, struct buffer *buffer) {
    uint64_t sum = 0;
    for (uint64_t k = 0; k < buffer->length; k++)
        sum += buffer->words[k];
    if (sum != buffer->sum)
        host_violation("realloc-growth: a buffer does not hold what was appended to it");
    mem_drop(t, s, &buffer_type, buffer);
    mem_scope_end(t, s);
}

static uint64_t next_capacity(const struct state *state, uint64_t capacity, uint64_t needed) {
    while (capacity < needed) {
        uint64_t more =
            state->additive ? state->step_words : capacity * (state->percent - 100) / 100;
        capacity += more > 0 ? more : 1;
    }
    return capacity;
}

static void reserve(mem_thread *t, const struct state *state, struct place *place, uint64_t words) {
    struct buffer *buffer = place->buffer;
    uint64_t capacity = next_capacity(state, buffer->capacity, buffer->length + words);
    if (capacity == buffer->capacity)
        return;
    buffer = mem_resize(t, place->scope, &buffer_type, buffer, buffer->capacity * sizeof(uint64_t),
                        capacity * sizeof(uint64_t));
    place->capacity = buffer->capacity = capacity;
    place->buffer = buffer;
}

/* The hash of the piece's words, read back. Under the place's lock. */
static uint64_t append(mem_thread *t, const struct state *state, struct place *place,
                       const struct piece *piece) {
    reserve(t, state, place, piece->words);
    struct buffer *buffer = place->buffer;
    uint64_t *words = buffer->words + buffer->length, sum = 0;
    for (uint64_t k = 0; k < piece->words; k++)
        sum += words[k] = hash_pair(piece->seed, k);
    buffer->length += piece->words;
    buffer->sum += sum;
    place->total += sum;
    return hash_bytes(piece->words, words, piece->words * sizeof *words);
}

/* Appends, and takes a buffer that is full out of its place before it looks at it. */
static uint64_t serve_piece(mem_thread *t, struct state *state, const struct piece *piece) {
    struct place *place = &state->places[piece->place];
    mem_scope *full_scope = NULL;
    struct buffer *full = NULL;
    scenario_lock(t, &place->lock);
    mem_scope_enter(t, place->scope);
    uint64_t hash = append(t, state, place, piece);
    if (place->buffer->length >= place->target) {
        full_scope = place->scope;
        full = place->buffer;
        begin_buffer(t, state, place);
    }
    mem_scope_leave(t, place->scope);
    pthread_mutex_unlock(&place->lock);
    if (full)
        end_buffer(t, full_scope, full);
    return hash;
}

static uint64_t realloc_growth_execute(mem_thread *t, void *state, uint64_t i, const void *in) {
    const struct request *request = in;
    uint64_t hash = 0;
    mem_unblock(t);
    for (uint32_t k = 0; k < PIECES; k++) {
        hash = hash_pair(hash, serve_piece(t, state, &request->pieces[k]));
        mem_safepoint(t);
    }
    mem_block(t);
    return hash_pair(i, hash);
}

static struct piece draw_piece(const struct state *state, rng *random) {
    struct piece piece = {.place = rng_below(random, state->count)};
    piece.words = 1 + rng_below(random, PIECE_WORDS_MAX);
    piece.seed = rng_u64(random);
    return piece;
}

static void realloc_growth_prepare(const void *state, uint64_t seed, uint64_t i, void *into) {
    struct request *request = into;
    rng random = rng_at(seed, i);
    for (uint32_t k = 0; k < PIECES; k++)
        request->pieces[k] = draw_piece(state, &random);
}

/* Fills each buffer to somewhere below its target, as it is at any time later on. */
static void fill(mem_thread *t, struct state *state, struct place *place) {
    rng random = rng_at(state->seed, place->number ^ 0x9f0);
    uint64_t until = rng_below(&random, place->target);
    mem_scope_enter(t, place->scope);
    while (place->buffer->length + PIECE_WORDS_MAX < until) {
        struct piece piece = draw_piece(state, &random);
        append(t, state, place, &piece);
        mem_safepoint(t);
    }
    mem_scope_leave(t, place->scope);
}

static void realloc_growth_reset(mem_thread *t, void *prepared) {
    struct state *state = prepared;
    (void)t;
    for (uint64_t n = 0; n < state->count; n++)
        state->places[n].total = 0;
}

static void *realloc_growth_setup(mem_thread *t, const struct scenario_setup *in) {
    const SCENARIO_PARAMS *p = in->params;
    if (in->live > BUFFERS_MAX) {
        snprintf(in->error, in->error_bytes, "realloc-growth: live must be at most %d buffers",
                 BUFFERS_MAX);
        return NULL;
    }
    struct state *state = mem_state_new(sizeof *state);
    state->count = in->live;
    state->seed = in->seed;
    state->additive = p->pattern == 1;
    state->step_words = p->step / sizeof(uint64_t);
    state->percent = p->factor;
    state->octaves = log2((double)(p->largest << 10) / TARGET_BYTES_MIN);
    state->places = mem_state_new(state->count * sizeof *state->places);
    for (uint64_t n = 0; n < state->count; n++) {
        struct place *place = &state->places[n];
        pthread_mutex_init(&place->lock, NULL);
        place->number = n;
        begin_buffer(t, state, place);
        mem_scope_leave(t, place->scope);
    }
    for (uint64_t n = 0; n < state->count; n++)
        fill(t, state, &state->places[n]);
    realloc_growth_reset(t, state);
    return state;
}

static uint64_t realloc_growth_live_bytes(const void *prepared) {
    const struct state *state = prepared;
    uint64_t bytes = 0;
    for (uint64_t n = 0; n < state->count; n++)
        bytes += sizeof(struct buffer) + state->places[n].capacity * sizeof(uint64_t);
    return bytes;
}

static uint64_t realloc_growth_finish(mem_thread *t, void *prepared) {
    struct state *state = prepared;
    uint64_t sum = 0;
    for (uint64_t n = 0; n < state->count; n++) {
        struct place *place = &state->places[n];
        mem_scope_enter(t, place->scope);
        end_buffer(t, place->scope, place->buffer);
        place->buffer = NULL;
        sum += hash_pair(n, place->total);
        pthread_mutex_destroy(&place->lock);
    }
    mem_state_free(state->places);
    mem_state_free(state);
    return sum;
}

const struct scenario scenario_realloc_growth = {.name = "realloc-growth",
                                                 .request_bytes = sizeof(struct request),
                                                 .setup = realloc_growth_setup,
                                                 .prepare = realloc_growth_prepare,
                                                 .execute = realloc_growth_execute,
                                                 .reset = realloc_growth_reset,
                                                 .live_bytes = realloc_growth_live_bytes,
                                                 .finish = realloc_growth_finish,
                                                 SCENARIO_MEMORY};
