/* SPDX-License-Identifier: MIT */
/* read_states.c - the read-states cache: what each user has read in each channel, sharded, LRU.
 *
 * After the service whose collector pauses made its owners move from Go to Rust:
 * each shard has a lock, a hash table of chains and a list from newest to oldest use; an entry that
 * is not cached is loaded from the store (a plain array in place of the database) and pushes the
 * oldest one out, which is written back. Users are Zipf-distributed, a user has CHANNELS channels.
 * Requests: 70 % read a user's states (answered as JSON), 20 % acknowledge a message, 10 % post one
 * that mentions several users. Updates commute (maximum, sum), so final values do not depend on
 * their order.
 *
 * Stresses a large live set of small objects that die long after they were born, in no order, under
 * locks that several workers want. Read the p99.9 and the pauses against --live: a collector's work
 * grows with what is alive, that of malloc and counts only with what is evicted.
 */
#include "load/zipf.h"
#include "memory/scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define CHANNELS 8
#define KEYS_PER_LIVE 2 /* keys that exist for each that fits into the cache */
#define SHARDS 16
#define ZIPF_EXPONENT 0.99
#define BATCH_MAX 8
#define REPLY_BYTES_FIRST 128
#define REPLY_BYTES_MAX 4096
#define ITEM_BYTES_MAX 128

struct entry {
    mem_ref next;         /* owned: hash chain */
    mem_ref newer, older; /* borrowed: order of use */
    uint64_t key, since;  /* immutable */
    uint32_t last_read, mentions;
};
struct table {
    uint32_t bucket_count, unused;
    mem_ref buckets[]; /* owned */
};
/* The request as decoded from the wire. */
struct message {
    uint32_t op, key_count, message_id, unused;
    uint64_t keys[];
};
struct reply {
    uint32_t length, unused;
    char text[];
};

static const mem_type entry_type;
static const mem_edge entry_edges[] = {{offsetof(struct entry, next), MEM_OWNED, &entry_type},
                                       {offsetof(struct entry, newer), MEM_BORROWED, &entry_type},
                                       {offsetof(struct entry, older), MEM_BORROWED, &entry_type}};
static const mem_type entry_type = {
    .name = "entry", .id = 0, .size = sizeof(struct entry), .edge_count = 3, .edges = entry_edges};
static const mem_edge bucket_edge = {0, MEM_OWNED, &entry_type};
static const mem_type table_type = {.name = "table",
                                    .id = 1,
                                    .size = sizeof(struct table),
                                    .trailing_max = 1u << 28,
                                    .trailing_edge = &bucket_edge,
                                    .count_offset = offsetof(struct table, bucket_count)};
static const mem_type message_type = {.name = "message",
                                      .id = 2,
                                      .size = sizeof(struct message),
                                      .trailing_max = BATCH_MAX * sizeof(uint64_t)};
static const mem_type reply_type = {
    .name = "reply", .id = 3, .size = sizeof(struct reply), .trailing_max = REPLY_BYTES_MAX};

struct shard {
    pthread_mutex_t lock;
    mem_scope *scope;
    struct table *table; /* owned */
    mem_ref newest, oldest;
    uint64_t count, capacity, bucket_count;
    char apart[64]; /* two shards share no cache line */
};
struct stored {
    uint32_t last_read, mentions;
};
struct state {
    struct shard shards[SHARDS];
    struct stored *store;
    uint64_t keys;
    struct zipf users;
};

enum op { OP_READ, OP_ACKNOWLEDGE, OP_POST };
struct request {
    uint32_t op, key_count, message_id;
    uint64_t keys[BATCH_MAX];
};

static uint64_t entry_since(uint64_t key) {
    return hash_pair(key, 0x51ce);
}
static struct shard *shard_of(struct state *state, uint64_t key) {
    return &state->shards[hash_u64(key) % SHARDS];
}
static mem_ref *bucket_of(struct table *table, uint64_t key) {
    return &table->buckets[(hash_u64(key) >> 32) & (table->bucket_count - 1)];
}

static void lru_unlink(struct shard *shard, struct entry *entry) {
    struct entry *newer = mem_get(&entry->newer), *older = mem_get(&entry->older);
    mem_link(newer ? &newer->older : &shard->newest, older);
    mem_link(older ? &older->newer : &shard->oldest, newer);
}
static void lru_push(struct shard *shard, struct entry *entry) {
    struct entry *newest = mem_get(&shard->newest);
    mem_link(&entry->newer, NULL);
    mem_link(&entry->older, newest);
    mem_link(newest ? &newest->newer : &shard->oldest, entry);
    mem_link(&shard->newest, entry);
}

/* Takes the least recently used entry out of its chain, writes it back and drops it. */
static void evict(mem_thread *t, struct state *state, struct shard *shard) {
    struct entry *victim = mem_get(&shard->oldest), *at;
    void *owner = shard->table;
    mem_ref *edge = bucket_of(shard->table, victim->key);
    while ((at = mem_get(edge)) != victim) {
        owner = at;
        edge = &at->next;
    }
    mem_take(t, owner, edge);
    mem_set(t, shard->scope, owner, edge, &entry_type, mem_take(t, victim, &victim->next));
    lru_unlink(shard, victim);
    state->store[victim->key] = (struct stored){victim->last_read, victim->mentions};
    mem_drop(t, shard->scope, &entry_type, victim);
    shard->count--;
}

static struct entry *load_entry(mem_thread *t, struct state *state, struct shard *shard,
                                uint64_t key) {
    if (shard->count == shard->capacity)
        evict(t, state, shard);
    struct entry *entry = mem_new(t, shard->scope, &entry_type, 0);
    mem_ref *bucket = bucket_of(shard->table, key);
    entry->key = key;
    entry->since = entry_since(key);
    entry->last_read = state->store[key].last_read;
    entry->mentions = state->store[key].mentions;
    mem_set(t, shard->scope, entry, &entry->next, &entry_type, mem_take(t, shard->table, bucket));
    mem_set(t, shard->scope, shard->table, bucket, &entry_type, entry);
    lru_push(shard, entry);
    shard->count++;
    return entry;
}

/* Under the shard's lock. */
static struct entry *find_entry(mem_thread *t, struct state *state, struct shard *shard,
                                uint64_t key) {
    struct entry *entry = mem_get(bucket_of(shard->table, key));
    while (entry && entry->key != key)
        entry = mem_get(&entry->next);
    if (!entry)
        return load_entry(t, state, shard, key);
    if (mem_get(&shard->newest) != entry) {
        lru_unlink(shard, entry);
        lru_push(shard, entry);
    }
    return entry;
}

static char *put_text(char *at, const char *text) {
    size_t length = strlen(text);
    memcpy(at, text, length);
    return at + length;
}
static char *put_number(char *at, uint64_t number) {
    char digits[20];
    int count = 0;
    do
        digits[count++] = (char)('0' + number % 10);
    while (number /= 10);
    while (count > 0)
        *at++ = digits[--count];
    return at;
}

/* Appends one state as JSON, the immutable members first; returns the hash of those, read back. */
static uint64_t append_item(mem_thread *t, mem_scope *s, struct reply **reply, size_t *capacity,
                            const struct entry *entry) {
    if ((*reply)->length + ITEM_BYTES_MAX > *capacity) {
        *reply = mem_resize(t, s, &reply_type, *reply, *capacity, *capacity * 2);
        *capacity *= 2;
    }
    char *begin = (*reply)->text + (*reply)->length, *at = begin;
    at = put_number(put_text(at, "{\"channel\":\""), entry->key);
    at = put_number(put_text(at, "\",\"since\":\""), entry->since);
    size_t immutable = (size_t)(at - begin);
    at = put_number(put_text(at, "\",\"last_read\":\""), entry->last_read);
    at = put_number(put_text(at, "\",\"mentions\":"), entry->mentions);
    at = put_text(at, "},");
    (*reply)->length += (uint32_t)(at - begin);
    return hash_bytes(0, begin, immutable);
}

static void update(struct entry *entry, const struct message *message) {
    if (message->op == OP_ACKNOWLEDGE && message->message_id > entry->last_read)
        entry->last_read = message->message_id;
    if (message->op == OP_POST)
        entry->mentions++;
}

static uint64_t serve(mem_thread *t, struct state *state, mem_scope *s,
                      const struct message *message) {
    size_t capacity = REPLY_BYTES_FIRST;
    struct reply *reply = mem_new(t, s, &reply_type, capacity);
    uint64_t hash = 0;
    reply->length = 0;
    for (uint32_t k = 0; k < message->key_count; k++) {
        struct shard *shard = shard_of(state, message->keys[k]);
        scenario_lock(t, &shard->lock);
        mem_scope_enter(t, shard->scope);
        struct entry *entry = find_entry(t, state, shard, message->keys[k]);
        update(entry, message);
        hash += append_item(t, s, &reply, &capacity, entry);
        mem_scope_leave(t, shard->scope);
        pthread_mutex_unlock(&shard->lock);
    }
    mem_drop(t, s, &reply_type, reply);
    return hash;
}

static uint64_t read_states_execute(mem_thread *t, void *state, uint64_t i, const void *prepared) {
    const struct request *request = prepared;
    mem_unblock(t);
    mem_scope *s = mem_scope_begin(t);
    struct message *message = mem_new(t, s, &message_type, request->key_count * sizeof(uint64_t));
    message->op = request->op;
    message->key_count = request->key_count;
    message->message_id = request->message_id;
    memcpy(message->keys, request->keys, request->key_count * sizeof(uint64_t));
    uint64_t hash = serve(t, state, s, message);
    mem_drop(t, s, &message_type, message);
    mem_scope_end(t, s);
    mem_block(t);
    return hash_pair(i, hash);
}

static void read_states_prepare(const void *prepared, uint64_t seed, uint64_t i, void *into) {
    const struct state *state = prepared;
    struct request *request = into;
    rng random = rng_at(seed, i);
    uint64_t dice = rng_below(&random, 10);
    uint64_t user = zipf_rank(&state->users, &random);
    request->op = dice < 7 ? OP_READ : dice < 9 ? OP_ACKNOWLEDGE : OP_POST;
    request->message_id = (uint32_t)rng_u64(&random) | 1;
    request->key_count =
        request->op == OP_ACKNOWLEDGE ? 1 : 1 + (uint32_t)rng_below(&random, BATCH_MAX);
    uint64_t channel = rng_below(&random, CHANNELS);
    for (uint32_t k = 0; k < request->key_count; k++) {
        if (request->op == OP_POST && k > 0)
            user = zipf_rank(&state->users, &random);
        request->keys[k] =
            user * CHANNELS + (channel + (request->op == OP_READ ? k : 0)) % CHANNELS;
    }
}

static void make_shards(mem_thread *t, struct state *state, uint64_t live) {
    uint64_t capacity = live / SHARDS + 1, buckets = 16;
    while (buckets < capacity)
        buckets *= 2;
    for (int i = 0; i < SHARDS; i++) {
        struct shard *shard = &state->shards[i];
        pthread_mutex_init(&shard->lock, NULL);
        shard->scope = mem_scope_begin(t);
        shard->table = mem_new(t, shard->scope, &table_type, buckets * sizeof(mem_ref));
        shard->capacity = capacity;
        shard->bucket_count = buckets;
        mem_scope_leave(t, shard->scope);
    }
}

static uint64_t common_divisor(uint64_t a, uint64_t b) {
    while (b > 0) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* Loads the `live` most frequent keys, in an order unlike that of their use. */
static void fill(mem_thread *t, struct state *state, uint64_t live) {
    uint64_t stride = 2654435761u % live + 1;
    while (common_divisor(stride, live) != 1)
        stride++;
    for (uint64_t i = 0, key = 0; i < live; i++, key = (key + stride) % live) {
        struct shard *shard = shard_of(state, key);
        mem_scope_enter(t, shard->scope);
        find_entry(t, state, shard, key);
        mem_scope_leave(t, shard->scope);
    }
}

static void *read_states_setup(mem_thread *t, const struct scenario_setup *in) {
    if (in->live < CHANNELS || in->live > (uint64_t)SHARDS << 25) {
        snprintf(in->error, in->error_bytes, "read-states: live must be from %d to %llu entries",
                 CHANNELS, (unsigned long long)SHARDS << 25);
        return NULL;
    }
    struct state *state = mem_state_new(sizeof *state);
    state->keys = (in->live * KEYS_PER_LIVE + CHANNELS - 1) / CHANNELS * CHANNELS;
    state->users = zipf_make(state->keys / CHANNELS, ZIPF_EXPONENT);
    state->store = mmap(NULL, state->keys * sizeof *state->store, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (state->store == MAP_FAILED)
        host_out_of_memory(state->keys * sizeof *state->store);
    make_shards(t, state, in->live);
    fill(t, state, in->live);
    return state;
}

static void read_states_reset(mem_thread *t, void *prepared) {
    struct state *state = prepared;
    memset(state->store, 0, state->keys * sizeof *state->store);
    for (int i = 0; i < SHARDS; i++) {
        struct shard *shard = &state->shards[i];
        mem_scope_enter(t, shard->scope);
        for (struct entry *e = mem_get(&shard->newest); e; e = mem_get(&e->older))
            e->last_read = e->mentions = 0;
        mem_scope_leave(t, shard->scope);
    }
}

static uint64_t read_states_live_bytes(const void *prepared) {
    const struct state *state = prepared;
    uint64_t bytes = 0;
    for (int i = 0; i < SHARDS; i++)
        bytes += sizeof(struct table) + state->shards[i].bucket_count * sizeof(mem_ref) +
                 state->shards[i].count * sizeof(struct entry);
    return bytes;
}

static void close_shard(mem_thread *t, struct state *state, struct shard *shard) {
    mem_scope_enter(t, shard->scope);
    for (struct entry *e = mem_get(&shard->newest); e; e = mem_get(&e->older))
        state->store[e->key] = (struct stored){e->last_read, e->mentions};
    mem_link(&shard->newest, NULL);
    mem_link(&shard->oldest, NULL);
    mem_drop(t, shard->scope, &table_type, shard->table);
    shard->table = NULL;
    mem_scope_end(t, shard->scope);
    pthread_mutex_destroy(&shard->lock);
}

static uint64_t read_states_finish(mem_thread *t, void *prepared) {
    struct state *state = prepared;
    uint64_t sum = 0;
    for (int i = 0; i < SHARDS; i++)
        close_shard(t, state, &state->shards[i]);
    for (uint64_t key = 0; key < state->keys; key++)
        sum += hash_pair(key,
                         (uint64_t)state->store[key].last_read << 32 | state->store[key].mentions);
    munmap(state->store, state->keys * sizeof *state->store);
    mem_state_free(state);
    return sum;
}

const struct scenario scenario_read_states = {.name = "read-states",
                                              .request_bytes = sizeof(struct request),
                                              .setup = read_states_setup,
                                              .prepare = read_states_prepare,
                                              .execute = read_states_execute,
                                              .reset = read_states_reset,
                                              .live_bytes = read_states_live_bytes,
                                              .finish = read_states_finish,
                                              SCENARIO_MEMORY};
