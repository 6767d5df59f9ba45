/* SPDX-License-Identifier: MIT */
/* bpe_encode.h - byte-pair encoding of one word after the other, in the objects that tokenisers use
 * for it: strings of words, a doubly linked list of symbols, a priority queue of pairs.
 *
 * After SentencePiece's bpe_model and Hugging Face's tokenizers: neighbours whose merge is known
 * are proposed to the queue; the pair of the lowest rank, of those the leftmost, becomes one
 * symbol; a pair of which a half is gone stays in the queue and is passed over at its turn.
 * Everything is in the request's scope.
 */
#ifndef TAILRACE_LOAD_BPE_ENCODE_H
#define TAILRACE_LOAD_BPE_ENCODE_H

#include "load/bpe_vocabulary.h"

#include <ctype.h>

#define WORD_BYTES_MAX 4096
#define QUEUE_PAIRS_FIRST 16
#define IDS_FIRST 32

/* A piece of the text that no merge crosses. */
struct word {
    uint32_t length, unused;
    mem_ref symbols, next; /* owned: the list's first; the text's next word */
    char bytes[];
};
struct symbol {
    mem_ref previous, pair; /* borrowed: pair is of this and the next one, in the queue */
    uint32_t id, at;        /* at: of its first byte in the word */
    mem_ref next;           /* owned */
};
struct pair {
    mem_ref left; /* borrowed; NULL: passed over */
    uint32_t result, at;
};
/* A binary heap. */
struct queue {
    uint32_t capacity, count;
    mem_ref pairs[]; /* owned */
};
struct ids {
    uint32_t capacity, count;
    uint32_t values[];
};

static const mem_type symbol_type, pair_type, word_type;
static const mem_edge word_edges[] = {{offsetof(struct word, symbols), MEM_OWNED, &symbol_type},
                                      {offsetof(struct word, next), MEM_OWNED, &word_type}};
static const mem_type word_type = {.name = "word",
                                   .id = 4,
                                   .size = sizeof(struct word),
                                   .trailing_max = WORD_BYTES_MAX,
                                   .edge_count = 2,
                                   .edges = word_edges};
static const mem_edge symbol_edges[] = {
    {offsetof(struct symbol, previous), MEM_BORROWED, &symbol_type},
    {offsetof(struct symbol, pair), MEM_BORROWED, &pair_type},
    {offsetof(struct symbol, next), MEM_OWNED, &symbol_type}};
static const mem_type symbol_type = {.name = "symbol",
                                     .id = 5,
                                     .size = sizeof(struct symbol),
                                     .edge_count = 3,
                                     .edges = symbol_edges};
static const mem_edge pair_edges[] = {{offsetof(struct pair, left), MEM_BORROWED, &symbol_type}};
static const mem_type pair_type = {
    .name = "pair", .id = 6, .size = sizeof(struct pair), .edge_count = 1, .edges = pair_edges};
static const mem_edge queue_edge = {0, MEM_OWNED, &pair_type};
static const mem_type queue_type = {.name = "queue",
                                    .id = 7,
                                    .size = sizeof(struct queue),
                                    .trailing_max = 4 * WORD_BYTES_MAX * sizeof(mem_ref),
                                    .trailing_edge = &queue_edge,
                                    .count_offset = offsetof(struct queue, capacity)};
static const mem_type ids_type = {.name = "ids",
                                  .id = 8,
                                  .size = sizeof(struct ids),
                                  .trailing_max = WORD_BYTES_MAX * sizeof(uint32_t)};

/* One request's; on the C stack, where its references are roots. */
struct encoder {
    mem_thread *t;
    mem_scope *s;
    const struct vocabulary *v;
    struct queue *queue; /* owned; empty between words */
    struct ids *ids;     /* owned */
};

static inline struct encoder encoder_begin(mem_thread *t, mem_scope *s,
                                           const struct vocabulary *v) {
    struct encoder e = {.t = t, .s = s, .v = v};
    e.queue = mem_new(t, s, &queue_type, QUEUE_PAIRS_FIRST * sizeof(mem_ref));
    e.queue->count = 0;
    e.ids = mem_new(t, s, &ids_type, IDS_FIRST * sizeof(uint32_t));
    e.ids->capacity = IDS_FIRST;
    e.ids->count = 0;
    return e;
}
static inline void encoder_end(struct encoder *e) {
    mem_drop(e->t, e->s, &ids_type, e->ids);
    mem_drop(e->t, e->s, &queue_type, e->queue);
}

static inline bool pair_before(const struct queue *queue, uint32_t a, uint32_t b) {
    const struct pair *x = mem_get(&queue->pairs[a]), *y = mem_get(&queue->pairs[b]);
    return x->result != y->result ? x->result < y->result : x->at < y->at;
}
static inline void queue_swap(struct encoder *e, uint32_t a, uint32_t b) {
    struct queue *queue = e->queue;
    struct pair *moved = mem_take(e->t, queue, &queue->pairs[a]);
    mem_set(e->t, e->s, queue, &queue->pairs[a], &pair_type,
            mem_take(e->t, queue, &queue->pairs[b]));
    mem_set(e->t, e->s, queue, &queue->pairs[b], &pair_type, moved);
}

static inline void queue_push(struct encoder *e, struct pair *pair) {
    uint32_t at = e->queue->count;
    if (at == e->queue->capacity)
        e->queue = mem_resize(e->t, e->s, &queue_type, e->queue, at * sizeof(mem_ref),
                              2 * at * sizeof(mem_ref));
    mem_set(e->t, e->s, e->queue, &e->queue->pairs[at], &pair_type, pair);
    e->queue->count++;
    for (; at > 0 && pair_before(e->queue, at, (at - 1) / 2); at = (at - 1) / 2)
        queue_swap(e, at, (at - 1) / 2);
}

/* The first of the queue, owned by the caller; there is one. */
static inline struct pair *queue_pop(struct encoder *e) {
    struct queue *queue = e->queue;
    uint32_t last = --queue->count, at = 0;
    if (last > 0)
        queue_swap(e, 0, last);
    for (uint32_t child; (child = 2 * at + 1) < last; at = child) {
        if (child + 1 < last && pair_before(queue, child + 1, child))
            child++;
        if (!pair_before(queue, child, at))
            break;
        queue_swap(e, at, child);
    }
    return mem_take(e->t, queue, &queue->pairs[last]);
}

/* Queues a symbol and its neighbour, if there are these and their merge is known. */
static inline void propose(struct encoder *e, struct symbol *left) {
    const struct symbol *right = left ? mem_get(&left->next) : NULL;
    uint32_t result = right ? vocabulary_merge(e->v, left->id, right->id) : BPE_NONE;
    if (result == BPE_NONE)
        return;
    struct pair *pair = mem_new(e->t, e->s, &pair_type, 0);
    pair->result = result;
    pair->at = left->at;
    mem_link(&pair->left, left);
    mem_link(&left->pair, pair);
    queue_push(e, pair);
}
/* Lets the queue pass over a symbol's pair, as one of both changes or goes. */
static inline void withdraw(struct symbol *left) {
    struct pair *pair = left ? mem_get(&left->pair) : NULL;
    if (!pair)
        return;
    mem_link(&pair->left, NULL);
    mem_link(&left->pair, NULL);
}

/* Makes a symbol and the next one `result`. */
static inline void merge_symbols(struct encoder *e, struct symbol *left, uint32_t result) {
    struct symbol *right = mem_take(e->t, left, &left->next), *previous = mem_get(&left->previous);
    struct symbol *after = mem_take(e->t, right, &right->next);
    withdraw(previous);
    withdraw(right);
    if (after)
        mem_link(&after->previous, left);
    mem_set(e->t, e->s, left, &left->next, &symbol_type, after);
    mem_drop(e->t, e->s, &symbol_type, right);
    left->id = result;
    propose(e, previous);
    propose(e, left);
}

/* A symbol for each byte. */
static inline void split(struct encoder *e, struct word *word) {
    struct symbol *last = NULL;
    for (uint32_t at = 0; at < word->length; at++) {
        struct symbol *symbol = mem_new(e->t, e->s, &symbol_type, 0);
        symbol->id = (unsigned char)word->bytes[at];
        symbol->at = at;
        mem_link(&symbol->previous, last);
        if (last)
            mem_set(e->t, e->s, last, &last->next, &symbol_type, symbol);
        else
            mem_set(e->t, e->s, word, &word->symbols, &symbol_type, symbol);
        propose(e, last);
        last = symbol;
    }
}

static inline void emit(struct encoder *e, uint32_t id) {
    uint32_t count = e->ids->count;
    if (count == e->ids->capacity) {
        e->ids = mem_resize(e->t, e->s, &ids_type, e->ids, count * sizeof(uint32_t),
                            2 * count * sizeof(uint32_t));
        e->ids->capacity = 2 * count;
    }
    e->ids->values[e->ids->count++] = id;
}

/* Appends the word's tokens to the ids. */
static inline void encode_word(struct encoder *e, struct word *word) {
    split(e, word);
    while (e->queue->count > 0) {
        struct pair *pair = queue_pop(e);
        struct symbol *left = mem_get(&pair->left);
        uint32_t result = pair->result;
        withdraw(left);
        mem_drop(e->t, e->s, &pair_type, pair);
        if (left)
            merge_symbols(e, left, result);
    }
    for (const struct symbol *at = mem_get(&word->symbols); at; at = mem_get(&at->next))
        emit(e, at->id);
}

enum class { CLASS_SPACE, CLASS_LETTER, CLASS_DIGIT, CLASS_OTHER };
static inline enum class class_of(char byte) {
    unsigned char b = (unsigned char)byte;
    if (b == ' ' || (b >= '\t' && b <= '\r')) return CLASS_SPACE;
    return b >= 128 || isalpha(b) ? CLASS_LETTER
           : isdigit(b)           ? CLASS_DIGIT
                                  : CLASS_OTHER;
}
static inline uint32_t run_of(enum class class, const char *text, uint32_t at, uint32_t length) {
    while (at < length && class_of(text[at]) == class)
        at++;
    return at;
}

/* The length of the word that a text begins with, as GPT-2's expression cuts it, with each byte
 * above ASCII for a letter: a contraction's end, or letters, digits or signs with a blank before
 * them, or white space, whose last character is left to what follows. */
static inline uint32_t word_length(const char *text, uint32_t length) {
    static const char *const ends[] = {"'s", "'t", "'m", "'d", "'re", "'ve", "'ll"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (length >= strlen(ends[i]) && memcmp(text, ends[i], strlen(ends[i])) == 0)
            return (uint32_t)strlen(ends[i]);
    uint32_t first = text[0] == ' ' ? 1 : 0;
    if (first < length && class_of(text[first]) != CLASS_SPACE)
        return run_of(class_of(text[first]), text, first, length);
    uint32_t spaces = run_of(CLASS_SPACE, text, 0, length);
    return spaces < length && spaces > 1 ? spaces - 1 : spaces;
}

/* The words of a text of at least 1 and at most WORD_BYTES_MAX bytes; the first one, owned. */
static inline struct word *cut_words(struct encoder *e, const char *text, uint32_t length) {
    struct word *first = NULL, *last = NULL;
    for (uint32_t at = 0, n; at < length; at += n) {
        n = word_length(text + at, length - at);
        struct word *word = mem_new(e->t, e->s, &word_type, n);
        word->length = n;
        memcpy(word->bytes, text + at, n);
        if (last)
            mem_set(e->t, e->s, last, &last->next, &word_type, word);
        else
            first = word;
        last = word;
    }
    return first;
}

static inline void encode(struct encoder *e, const char *text, uint32_t length) {
    for (struct word *word = cut_words(e, text, length), *next; word; word = next) {
        next = mem_take(e->t, word, &word->next);
        encode_word(e, word);
        mem_drop(e->t, e->s, &word_type, word);
        mem_safepoint(e->t);
    }
}

#endif
