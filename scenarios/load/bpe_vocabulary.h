/* SPDX-License-Identifier: MIT */
/* bpe_vocabulary.h - the tokenizer's vocabulary, as objects: a string for each token and a rank for
 * each merge, read from a file in the format of GPT-2's merges.txt.
 *
 * Token 0..255 is that byte, token 256 + n what merge n makes. Set-up builds one for each worker,
 * in a scope of its own, as one tokeniser a thread is deployed: who takes one out of the pool is
 * its user, and may read it, until it is put back. Nobody writes.
 */
#ifndef TAILRACE_LOAD_BPE_VOCABULARY_H
#define TAILRACE_LOAD_BPE_VOCABULARY_H

#include "memory/scenario.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>

#define BPE_BYTES 256
#define BPE_MERGES_MAX 65536
#define BPE_TOKENS_MAX (BPE_BYTES + BPE_MERGES_MAX)
#define BPE_TOKEN_BYTES_MAX 256
#define BPE_NONE UINT32_MAX

struct token {
    uint32_t id, length;
    char bytes[];
};
/* left and right, side by side, become result; the lower the result, the sooner. */
struct merge {
    mem_ref next; /* owned: hash chain */
    uint32_t left, right, result, unused;
};
struct token_table {
    uint32_t count, unused;
    mem_ref tokens[]; /* owned, by id */
};
struct merge_table {
    uint32_t bucket_count, unused;
    mem_ref buckets[]; /* owned */
};

static const mem_type token_type = {
    .name = "token", .id = 0, .size = sizeof(struct token), .trailing_max = BPE_TOKEN_BYTES_MAX};
static const mem_type merge_type;
static const mem_edge merge_edges[] = {{offsetof(struct merge, next), MEM_OWNED, &merge_type}};
static const mem_type merge_type = {
    .name = "merge", .id = 1, .size = sizeof(struct merge), .edge_count = 1, .edges = merge_edges};
static const mem_edge token_edge = {0, MEM_OWNED, &token_type};
static const mem_type token_table_type = {.name = "tokens",
                                          .id = 2,
                                          .size = sizeof(struct token_table),
                                          .trailing_max = BPE_TOKENS_MAX * sizeof(mem_ref),
                                          .trailing_edge = &token_edge,
                                          .count_offset = offsetof(struct token_table, count)};
static const mem_edge bucket_edge = {0, MEM_OWNED, &merge_type};
static const mem_type merge_table_type = {.name = "merges",
                                          .id = 3,
                                          .size = sizeof(struct merge_table),
                                          .trailing_max = 2 * BPE_MERGES_MAX * sizeof(mem_ref),
                                          .trailing_edge = &bucket_edge,
                                          .count_offset =
                                              offsetof(struct merge_table, bucket_count)};

/* State memory. */
struct vocabulary {
    struct vocabulary *next; /* of those in the pool */
    mem_scope *scope;
    struct token_table *tokens; /* owned */
    struct merge_table *merges; /* owned */
    uint64_t bytes;             /* of all objects */
};

static inline mem_ref *vocabulary_bucket(struct merge_table *merges, uint32_t left,
                                         uint32_t right) {
    uint64_t hash = hash_u64((uint64_t)left << 32 | right);
    return &merges->buckets[hash & (merges->bucket_count - 1)];
}

/* What the two become, or BPE_NONE. */
static inline uint32_t vocabulary_merge(const struct vocabulary *v, uint32_t left, uint32_t right) {
    const struct merge *at = mem_get(vocabulary_bucket(v->merges, left, right));
    while (at && (at->left != left || at->right != right))
        at = mem_get(&at->next);
    return at ? at->result : BPE_NONE;
}

static inline const struct token *vocabulary_token(const struct vocabulary *v, uint32_t id) {
    const struct token *token = id < v->tokens->count ? mem_get(&v->tokens->tokens[id]) : NULL;
    if (!token || token->id != id)
        host_violation("tokenizer: a token is not in the vocabulary, or another one's");
    return token;
}

/* A file's bytes, terminated by 0, in plain memory that the caller frees; NULL if unreadable. */
static inline char *bpe_read_file(const struct scenario_setup *in, const char *name,
                                  size_t *length) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", in->data_dir, name);
    FILE *file = fopen(path, "re");
    char *bytes = NULL;
    size_t capacity = 0;
    ssize_t got = file ? getdelim(&bytes, &capacity, '\0', file) : -1;
    if (file)
        fclose(file);
    if (got > 0) {
        *length = (size_t)got;
        return bytes;
    }
    free(bytes);
    snprintf(in->error, in->error_bytes, "tokenizer: cannot read %s", path);
    return NULL;
}

/* GPT-2's visible character for each byte, in UTF-8: itself, or one from U+0100 on. */
static inline void bpe_byte_name(unsigned byte, char name[3]) {
    unsigned code = 256;
    for (unsigned b = 0; b <= byte; b++) {
        bool visible = (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
        if (b == byte)
            code = visible ? b : code;
        else if (!visible)
            code++;
    }
    name[0] = (char)(code < 128 ? code : 0xc0 | code >> 6);
    name[1] = (char)(code < 128 ? 0 : 0x80 | (code & 0x3f));
    name[2] = 0;
}

/* While it loads: names of tokens, as the file has them, to ids. The C library's one table. */
struct bpe_loader {
    mem_thread *t;
    struct vocabulary *v;
    char *free_name; /* where the next token's goes; plain memory */
};
struct bpe_bytes {
    const char *at;
    uint32_t length;
};

static inline uint32_t loader_find(const char *name) {
    const ENTRY *found = hsearch((ENTRY){.key = (char *)(uintptr_t)name}, FIND);
    return found ? (uint32_t)(uintptr_t)found->data : BPE_NONE;
}
/* Names are unique: two ways to make a token would make two of it. */
static inline bool loader_name(const char *name, uint32_t id) {
    ENTRY entry = {.key = (char *)(uintptr_t)name, .data = (void *)(uintptr_t)id};
    return loader_find(name) == BPE_NONE && hsearch(entry, ENTER);
}

/* Makes the token of the name at free_name, out of two strings of bytes. */
static inline bool loader_token(struct bpe_loader *l, uint32_t id, struct bpe_bytes left,
                                struct bpe_bytes right) {
    struct vocabulary *v = l->v;
    uint32_t length = left.length + right.length;
    if (length > BPE_TOKEN_BYTES_MAX || !loader_name(l->free_name, id))
        return false;
    struct token *token = mem_new(l->t, v->scope, &token_type, length);
    token->id = id;
    token->length = length;
    memcpy(token->bytes, left.at, left.length);
    memcpy(token->bytes + left.length, right.at, right.length);
    v->bytes += sizeof *token + length;
    mem_set(l->t, v->scope, v->tokens, &v->tokens->tokens[id], &token_type, token);
    l->free_name += strlen(l->free_name) + 1;
    return true;
}

static inline bool loader_bytes(struct bpe_loader *l) {
    for (uint32_t byte = 0; byte < BPE_BYTES; byte++) {
        char one = (char)byte;
        bpe_byte_name(byte, l->free_name);
        if (!loader_token(l, byte, (struct bpe_bytes){&one, 1}, (struct bpe_bytes){"", 0}))
            return false;
    }
    return true;
}

/* One line of the file: two tokens that are known, apart by a blank. */
static inline bool loader_merge(struct bpe_loader *l, uint32_t id, char *line) {
    struct vocabulary *v = l->v;
    char *right_name = strchr(line, ' ');
    if (!right_name)
        return false;
    *right_name++ = 0;
    uint32_t left = loader_find(line), right = loader_find(right_name);
    if (left == BPE_NONE || right == BPE_NONE)
        return false;
    const struct token *a = vocabulary_token(v, left), *b = vocabulary_token(v, right);
    stpcpy(stpcpy(l->free_name, line), right_name);
    if (!loader_token(l, id, (struct bpe_bytes){a->bytes, a->length},
                      (struct bpe_bytes){b->bytes, b->length}))
        return false;
    struct merge *merge = mem_new(l->t, v->scope, &merge_type, 0);
    mem_ref *bucket = vocabulary_bucket(v->merges, left, right);
    merge->left = left;
    merge->right = right;
    merge->result = id;
    v->bytes += sizeof *merge;
    mem_set(l->t, v->scope, merge, &merge->next, &merge_type, mem_take(l->t, v->merges, bucket));
    mem_set(l->t, v->scope, v->merges, bucket, &merge_type, merge);
    return true;
}

/* The lines behind the first, cut apart; their number, or 0 where there are too many. */
static inline uint32_t bpe_lines(char *text, char *lines[BPE_MERGES_MAX]) {
    uint32_t count = 0;
    char *rest = text, *line = strsep(&rest, "\n");
    while ((line = strsep(&rest, "\n")) && *line)
        if (count == BPE_MERGES_MAX)
            return 0;
        else
            lines[count++] = line;
    return count;
}

static inline bool vocabulary_fill(struct bpe_loader *l, char *const *lines, uint32_t count) {
    struct vocabulary *v = l->v;
    uint32_t buckets = BPE_BYTES;
    while (buckets < count)
        buckets *= 2;
    v->scope = mem_scope_begin(l->t);
    v->tokens = mem_new(l->t, v->scope, &token_table_type, (BPE_BYTES + count) * sizeof(mem_ref));
    v->merges = mem_new(l->t, v->scope, &merge_table_type, buckets * sizeof(mem_ref));
    v->bytes =
        sizeof *v->tokens + sizeof *v->merges + (BPE_BYTES + count + buckets) * sizeof(mem_ref);
    bool good = loader_bytes(l);
    for (uint32_t n = 0; n < count && good; n++) {
        good = loader_merge(l, BPE_BYTES + n, lines[n]);
        mem_safepoint(l->t);
    }
    mem_scope_leave(l->t, v->scope);
    return good;
}

/* False with a sentence in in->error. */
static inline bool vocabulary_load(mem_thread *t, struct vocabulary *v,
                                   const struct scenario_setup *in, const char *name) {
    size_t length;
    char *text = bpe_read_file(in, name, &length);
    if (!text)
        return false;
    char **lines = malloc(BPE_MERGES_MAX * sizeof *lines), *names = malloc(length + 3 * BPE_BYTES);
    if (!lines || !names)
        host_out_of_memory(length);
    uint32_t count = bpe_lines(text, lines);
    if (hcreate(2 * (BPE_BYTES + count)) == 0)
        host_out_of_memory(length);
    struct bpe_loader loader = {.t = t, .v = v, .free_name = names};
    bool good = count > 0 && vocabulary_fill(&loader, lines, count);
    if (!good)
        snprintf(in->error, in->error_bytes, "tokenizer: %s/%s is no list of at most %d merges",
                 in->data_dir, name, BPE_MERGES_MAX);
    hdestroy();
    free(names);
    free(lines);
    free(text);
    return good;
}

/* Ends it; returns the sum over its tokens of what their strings hash to. */
static inline uint64_t vocabulary_end(mem_thread *t, struct vocabulary *v) {
    uint64_t sum = 0;
    mem_scope_enter(t, v->scope);
    for (uint32_t id = 0; id < v->tokens->count; id++) {
        const struct token *token = vocabulary_token(v, id);
        sum += hash_pair(id, hash_bytes(0, token->bytes, token->length));
    }
    mem_drop(t, v->scope, &merge_table_type, v->merges);
    mem_drop(t, v->scope, &token_table_type, v->tokens);
    v->merges = NULL;
    v->tokens = NULL;
    mem_scope_end(t, v->scope);
    return sum;
}

struct vocabularies {
    pthread_mutex_t lock;
    struct vocabulary *all, *idle; /* state memory; idle under lock */
    uint32_t count;
};

/* False with a sentence in in->error. In state memory. */
static inline bool vocabularies_load(mem_thread *t, struct vocabularies *pool,
                                     const struct scenario_setup *in, const char *name) {
    pthread_mutex_init(&pool->lock, NULL);
    pool->count = in->threads;
    pool->all = mem_state_new(pool->count * sizeof *pool->all);
    for (uint32_t n = 0; n < pool->count; n++) {
        if (!vocabulary_load(t, &pool->all[n], in, name))
            return false;
        pool->all[n].next = pool->idle;
        pool->idle = &pool->all[n];
    }
    return true;
}

/* There is one for each worker, so one is idle. */
static inline struct vocabulary *vocabulary_take(mem_thread *t, struct vocabularies *pool) {
    scenario_lock(t, &pool->lock);
    struct vocabulary *v = pool->idle;
    pool->idle = v->next;
    mem_scope_enter(t, v->scope);
    pthread_mutex_unlock(&pool->lock);
    return v;
}
static inline void vocabulary_put(mem_thread *t, struct vocabularies *pool, struct vocabulary *v) {
    scenario_lock(t, &pool->lock);
    mem_scope_leave(t, v->scope);
    v->next = pool->idle;
    pool->idle = v;
    pthread_mutex_unlock(&pool->lock);
}

static inline uint64_t vocabularies_bytes(const struct vocabularies *pool) {
    uint64_t bytes = 0;
    for (uint32_t n = 0; n < pool->count; n++)
        bytes += pool->all[n].bytes;
    return bytes;
}

/* Ends all; returns what vocabulary_end does of each, which must be the same. */
static inline uint64_t vocabularies_end(mem_thread *t, struct vocabularies *pool) {
    uint64_t sum = vocabulary_end(t, &pool->all[0]);
    for (uint32_t n = 1; n < pool->count; n++)
        if (vocabulary_end(t, &pool->all[n]) != sum)
            host_violation("tokenizer: two vocabularies of one file differ");
    pthread_mutex_destroy(&pool->lock);
    mem_state_free(pool->all);
    return sum;
}

#endif
