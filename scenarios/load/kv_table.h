/* SPDX-License-Identifier: MIT */
/* kv_table.h - the hash table of kv-store: it grows by one bucket at a time, while it is read.
 *
 * Linear hashing (Litwin, 1980) in memory as by Larson (Dynamic Hash Tables, 1988): buckets 0 to
 * bucket_count - 1 lie in segments that a directory owns, so that no bucket ever moves. An insert
 * that leaves more entries than buckets adds one bucket and divides one chain between the two. The
 * directory has room for DIRECTORY_GROWTH times the entries at the start; beyond, chains grow.
 *
 * These are two programs in one text, told apart by `slots`, which the compiler knows:
 *
 *   slots | heads, links and values are slots, and readers take no lock. What is in a slot cannot
 *         | be taken out of it, so a chain is divided by copying its entries
 *   else  | they are owned edges, all is done under the shard's lock, and entries are moved
 *
 *   who writes   | the holder of the shard's lock, as the scope's user
 *   bucket_count | written by that one, release, when the new bucket has its chain and before
 *                | the old one loses it: pairs with the acquire of readers without a lock
 *   segments     | written before the bucket_count that leads to them, and never again
 *   a miss       | of a reader means nothing if bucket_count has changed since: it looks again
 */
#ifndef TAILRACE_LOAD_KV_TABLE_H
#define TAILRACE_LOAD_KV_TABLE_H

#include "load/kv_value.h"

#define SHARD_BITS 4
#define SHARDS (1u << SHARD_BITS)
#define SEGMENT_BUCKETS 64
#define DIRECTORY_GROWTH 16
#define LIVE_MAX ((uint64_t)1 << 26)
#define DIRECTORY_MAX (DIRECTORY_GROWTH * (LIVE_MAX / SHARDS / SEGMENT_BUCKETS + 1))
#define LOOKS_MAX 16 /* of a reader without a lock, before it takes the lock */
/* Of a key that an insert made; others are there from the start. */
#define KEY_INSERTED ((uint64_t)1 << 63)

union edge {
    mem_slot slot;
    mem_ref ref; /* owned */
};
struct node {
    uint64_t key;
    uint32_t writes, forgotten; /* forgotten: of them, those before reset */
    uint32_t bytes, unused;     /* of the value; these all under the lock */
    union edge value, next;
};
struct segment {
    uint32_t count, unused;
    union edge buckets[];
};
struct directory {
    uint32_t count, unused;
    mem_ref segments[]; /* owned */
};

/* Each twice, by `slots`. */
#define KV_KIND(slots) ((slots) ? MEM_SLOT : MEM_OWNED)
#define NODE_EDGES(slots)                                                                          \
    {                                                                                              \
        {offsetof(struct node, value), KV_KIND(slots), &value_type}, {                             \
            offsetof(struct node, next), KV_KIND(slots), &node_types[slots]                        \
        }                                                                                          \
    }
#define NODE_TYPE(slots)                                                                           \
    {                                                                                              \
        .name = "node", .id = 1 + (slots), .size = sizeof(struct node), .edge_count = 2,           \
        .edges = node_edges[slots]                                                                 \
    }
#define SEGMENT_TYPE(slots)                                                                        \
    {                                                                                              \
        .name = "segment", .id = 3 + (slots), .size = sizeof(struct segment),                      \
        .trailing_max = SEGMENT_BUCKETS * sizeof(mem_ref), .trailing_edge = &bucket_edges[slots],  \
        .count_offset = offsetof(struct segment, count)                                            \
    }
#define DIRECTORY_TYPE(slots)                                                                      \
    {                                                                                              \
        .name = "directory", .id = 5 + (slots), .size = sizeof(struct directory),                  \
        .trailing_max = DIRECTORY_MAX * sizeof(mem_ref), .trailing_edge = &segment_edges[slots],   \
        .count_offset = offsetof(struct directory, count)                                          \
    }
static const mem_type node_types[2];
static const mem_edge node_edges[2][2] = {NODE_EDGES(0), NODE_EDGES(1)};
static const mem_type node_types[2] = {NODE_TYPE(0), NODE_TYPE(1)};
static const mem_edge bucket_edges[2] = {{0, KV_KIND(0), &node_types[0]},
                                         {0, KV_KIND(1), &node_types[1]}};
static const mem_type segment_types[2] = {SEGMENT_TYPE(0), SEGMENT_TYPE(1)};
static const mem_edge segment_edges[2] = {{0, MEM_OWNED, &segment_types[0]},
                                          {0, MEM_OWNED, &segment_types[1]}};
static const mem_type directory_types[2] = {DIRECTORY_TYPE(0), DIRECTORY_TYPE(1)};

struct shard {
    struct directory *directory; /* owned */
    _Atomic uint64_t bucket_count;
    char apart[64]; /* readers without a lock do not see the lock's cache line */
    pthread_mutex_t lock;
    mem_scope *scope;
    uint64_t seed, entries, value_bytes, bucket_limit;
    char apart_from_next[64];
};
/* Where an entry is, or would be; node and before are read. */
struct place {
    void *owner;
    union edge *edge;
    struct node *node, *before;
};
struct chain {
    struct node *first, *last;
};

MEM_INLINE void *edge_read(mem_thread *t, union edge *edge, bool slots) {
    return slots ? mem_slot_read(t, &edge->slot) : mem_get(&edge->ref);
}
MEM_INLINE void edge_read_end(mem_thread *t, const mem_type *type, void *object, bool slots) {
    if (slots)
        mem_slot_read_end(t, type, object);
}
MEM_INLINE void edge_put(mem_thread *t, mem_scope *s, void *owner, union edge *edge,
                         const mem_type *type, void *object, bool slots) {
    if (slots)
        mem_slot_swap(t, s, owner, &edge->slot, type, object);
    else
        mem_set(t, s, owner, &edge->ref, type, object);
}

/* Bits of a hash that tell so many buckets apart. */
static inline uint64_t bucket_mask(uint64_t count) {
    return UINT64_MAX >> __builtin_clzll(count - 1);
}
/* A bucket that does not exist yet is still part of the one that it is to be divided from. */
static inline uint64_t bucket_of(uint64_t key, uint64_t count) {
    uint64_t mask = bucket_mask(count), bucket = hash_u64(key) & mask;
    return bucket < count ? bucket : bucket & (mask >> 1);
}
static inline struct place bucket_place(const struct shard *shard, uint64_t bucket) {
    struct segment *segment = mem_get(&shard->directory->segments[bucket / SEGMENT_BUCKETS]);
    return (struct place){.owner = segment, .edge = &segment->buckets[bucket % SEGMENT_BUCKETS]};
}
/* relaxed: by the lock's holder, who alone writes it */
static inline uint64_t shard_bucket_count(const struct shard *shard) {
    return atomic_load_explicit(&shard->bucket_count, memory_order_relaxed);
}

MEM_INLINE struct place place_find(mem_thread *t, const struct shard *shard, uint64_t key,
                                   uint64_t bucket_count, bool slots) {
    struct place at = bucket_place(shard, bucket_of(key, bucket_count));
    while ((at.node = edge_read(t, at.edge, slots)) && at.node->key != key) {
        edge_read_end(t, &node_types[slots], at.before, slots);
        at.owner = at.before = at.node;
        at.edge = &at.node->next;
    }
    return at;
}
MEM_INLINE void place_leave(mem_thread *t, const struct place *at, bool slots) {
    edge_read_end(t, &node_types[slots], at->node, slots);
    edge_read_end(t, &node_types[slots], at->before, slots);
}

/* Without the lock: a copy of the value, in scope s; NULL if it is not there, or not found. */
MEM_INLINE struct value *shard_look_up(mem_thread *t, mem_scope *s, const struct shard *shard,
                                       uint64_t key) {
    for (int look = 0; look < LOOKS_MAX; look++) {
        /* acquire, both: pair with the release in shard_grow. A chain that lacks what was moved
         * was read by an acquire too, so that the second finds the bucket it was moved to. */
        uint64_t count = atomic_load_explicit(&shard->bucket_count, memory_order_acquire);
        struct place at = place_find(t, shard, key, count, true);
        struct value *copy = NULL;
        if (at.node) {
            struct value *value = edge_read(t, &at.node->value, true);
            copy = value_copy(t, s, value);
            edge_read_end(t, &value_type, value, true);
        }
        place_leave(t, &at, true);
        if (copy)
            return copy;
        if (atomic_load_explicit(&shard->bucket_count, memory_order_acquire) != count)
            continue;
        if (!(key & KEY_INSERTED))
            host_violation("kv-store: a reader without a lock missed an entry that was there");
        return NULL;
    }
    return NULL;
}

/* Takes the value over. */
MEM_INLINE struct node *node_new(mem_thread *t, const struct shard *shard, struct value *value,
                                 bool slots) {
    struct node *node = mem_new(t, shard->scope, &node_types[slots], 0);
    node->key = value->key;
    node->bytes = value->bytes;
    node->writes = value->version;
    node->forgotten = 0;
    edge_put(t, shard->scope, node, &node->value, &value_type, value, slots);
    return node;
}
MEM_INLINE struct node *node_copy(mem_thread *t, const struct shard *shard, struct node *node,
                                  bool slots) {
    struct value *value = edge_read(t, &node->value, slots);
    struct node *copy = node_new(t, shard, value_copy(t, shard->scope, value), slots);
    edge_read_end(t, &value_type, value, slots);
    copy->writes = node->writes;
    copy->forgotten = node->forgotten;
    return copy;
}

/* Puts an entry where none was found; *at then has it. Takes the value over. */
MEM_INLINE void shard_add(mem_thread *t, struct shard *shard, struct place *at, struct value *value,
                          bool slots) {
    shard->entries++;
    shard->value_bytes += value->bytes;
    edge_put(t, shard->scope, at->owner, at->edge, &node_types[slots],
             node_new(t, shard, value, slots), slots);
    at->node = edge_read(t, at->edge, slots);
}
MEM_INLINE void shard_replace(mem_thread *t, struct shard *shard, struct node *node,
                              struct value *value, bool slots) {
    shard->value_bytes += (uint64_t)value->bytes - node->bytes;
    node->bytes = value->bytes;
    node->writes++;
    edge_put(t, shard->scope, node, &node->value, &value_type, value, slots);
}

MEM_INLINE void chain_append(mem_thread *t, const struct shard *shard, struct chain *chain,
                             struct node *node, bool slots) {
    if (chain->last)
        edge_put(t, shard->scope, chain->last, &chain->last->next, &node_types[slots], node, slots);
    else
        chain->first = node;
    chain->last = node;
}
static inline bool key_has(uint64_t key, uint64_t bit) {
    return (hash_u64(key) & bit) != 0;
}
MEM_INLINE void chain_copy(mem_thread *t, const struct shard *shard, union edge *edge, uint64_t bit,
                           struct chain chains[2]) {
    struct node *node = edge_read(t, edge, true), *next;
    for (; node; node = next) {
        struct chain *to = &chains[key_has(node->key, bit)];
        chain_append(t, shard, to, node_copy(t, shard, node, true), true);
        next = edge_read(t, &node->next, true);
        edge_read_end(t, &node_types[true], node, true);
    }
}
MEM_INLINE void chain_move(mem_thread *t, const struct shard *shard, const struct place *from,
                           uint64_t bit, struct chain chains[2]) {
    struct node *node = mem_take(t, from->owner, &from->edge->ref), *next;
    for (; node; node = next) {
        next = mem_take(t, node, &node->next.ref);
        chain_append(t, shard, &chains[key_has(node->key, bit)], node, false);
    }
}
/* Whether the chain has an entry with that bit. */
MEM_INLINE bool chain_has(mem_thread *t, union edge *edge, uint64_t bit, bool slots) {
    struct node *node = edge_read(t, edge, slots), *next;
    bool has = false;
    for (; node; node = next) {
        has |= key_has(node->key, bit);
        next = edge_read(t, &node->next, slots);
        edge_read_end(t, &node_types[slots], node, slots);
    }
    return has;
}

static void shard_add_segment(mem_thread *t, struct shard *shard, uint64_t number, bool slots) {
    struct segment *segment =
        mem_new(t, shard->scope, &segment_types[slots], SEGMENT_BUCKETS * sizeof *segment->buckets);
    mem_set(t, shard->scope, shard->directory, &shard->directory->segments[number],
            &segment_types[slots], segment);
}

/* Adds a bucket, if there are more entries than buckets. */
MEM_INLINE void shard_grow(mem_thread *t, struct shard *shard, bool slots) {
    uint64_t count = shard_bucket_count(shard);
    if (shard->entries <= count || count == shard->bucket_limit)
        return;
    if (count % SEGMENT_BUCKETS == 0)
        shard_add_segment(t, shard, count / SEGMENT_BUCKETS, slots);
    uint64_t half = (bucket_mask(count + 1) + 1) / 2;
    struct place old = bucket_place(shard, count - half), new = bucket_place(shard, count);
    struct chain chains[2] = {{0}};
    bool is_divided = chain_has(t, old.edge, half, slots);
    if (is_divided && slots)
        chain_copy(t, shard, old.edge, half, chains);
    else if (is_divided)
        chain_move(t, shard, &old, half, chains);
    if (is_divided)
        edge_put(t, shard->scope, new.owner, new.edge, &node_types[slots], chains[1].first, slots);
    /* release: pairs with the acquires in shard_look_up */
    atomic_store_explicit(&shard->bucket_count, count + 1, memory_order_release);
    if (is_divided)
        edge_put(t, shard->scope, old.owner, old.edge, &node_types[slots], chains[0].first, slots);
}

static void shard_make(mem_thread *t, struct shard *shard, uint64_t seed, uint64_t live,
                       bool slots) {
    uint64_t segments = DIRECTORY_GROWTH * (live / SHARDS / SEGMENT_BUCKETS + 1);
    pthread_mutex_init(&shard->lock, NULL);
    shard->seed = seed;
    shard->entries = shard->value_bytes = 0;
    shard->bucket_limit = segments * SEGMENT_BUCKETS;
    shard->scope = mem_scope_begin(t);
    shard->directory =
        mem_new(t, shard->scope, &directory_types[slots], segments * sizeof(mem_ref));
    shard_add_segment(t, shard, 0, slots);
    atomic_store_explicit(&shard->bucket_count, SEGMENT_BUCKETS, memory_order_relaxed);
    mem_scope_leave(t, shard->scope);
}

/* What shard_walk calls with each entry and its value. */
typedef void shard_visit(struct shard *shard, struct node *node, const struct value *value,
                         uint64_t *sum);
/* By the scope's user, while nobody else is at the shard. */
static void shard_walk(mem_thread *t, struct shard *shard, bool slots, shard_visit *visit,
                       uint64_t *sum) {
    for (uint64_t bucket = 0; bucket < shard_bucket_count(shard); bucket++) {
        struct node *node = edge_read(t, bucket_place(shard, bucket).edge, slots), *next;
        for (; node; node = next) {
            struct value *value = edge_read(t, &node->value, slots);
            visit(shard, node, value, sum);
            edge_read_end(t, &value_type, value, slots);
            next = edge_read(t, &node->next, slots);
            edge_read_end(t, &node_types[slots], node, slots);
        }
        mem_safepoint(t);
    }
}

static uint64_t shard_bytes(const struct shard *shard) {
    uint64_t segments = (shard_bucket_count(shard) + SEGMENT_BUCKETS - 1) / SEGMENT_BUCKETS;
    return sizeof(struct directory) + shard->bucket_limit / SEGMENT_BUCKETS * sizeof(mem_ref) +
           segments * (sizeof(struct segment) + SEGMENT_BUCKETS * sizeof(union edge)) +
           shard->entries * (sizeof(struct node) + sizeof(struct value)) + shard->value_bytes;
}

static void shard_end(mem_thread *t, struct shard *shard, bool slots) {
    mem_drop(t, shard->scope, &directory_types[slots], shard->directory);
    shard->directory = NULL;
    mem_scope_end(t, shard->scope);
    pthread_mutex_destroy(&shard->lock);
}

#endif
