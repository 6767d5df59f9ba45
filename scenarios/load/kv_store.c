/* SPDX-License-Identifier: MIT */
/* kv_store.c - a key-value store on a hash table that grows while it is read.
 *
 * After YCSB's core workloads (Cooper et al., Benchmarking Cloud Serving Systems with YCSB, 2010),
 * as PARAM mix: a reads and updates half each; b reads 95 %; c only reads; d reads the latest,
 * 5 % inserts; e scans 1 to 100 consecutive keys (one by one: a hash table has no order), 5 %
 * inserts; f reads and read-modify-writes half each. Keys are Zipf-distributed (0.99) and
 * scrambled, for d by age. Values have the sizes of Facebook's pool ETC (Atikoglu et al., 2012:
 * generalised Pareto with a mean of 329 bytes), cut to 16 bytes to PARAM value_max. A request is a
 * pipeline of PARAM batch operations. A read copies the value into the request's scope and answers
 * from there.
 *
 * Each of 16 shards has a lock, which writers take, a scope and a table (kv_table.h). Growth is in
 * flight from the start: an insert adds one bucket at most. Readers take no lock where the strategy
 * provides slots; where it does not, as malloc alone, they take the shard's, as a C program has to.
 * So two strategies that differ in this run two programs: what one pays to reclaim safely against
 * what the other pays in waiting for locks. PARAM readers=locked has all strategies run the latter.
 * A read that comes before the insert of its key makes the entry, as a cache's miss does, so that
 * answers do not depend on who comes first.
 *
 * Stresses safe reclamation of small hot objects under Zipf-skewed readers, allocation of mixed
 * sizes that live long, and structures that grow under load. Read the tail of mix a or f as what
 * writers and reclamation cost readers, and compare readers=lockfree with locked on one strategy
 * before comparing two strategies of which only one provides slots.
 */
#define SCENARIO_OPTIONAL MEM_SLOTS
#include "load/kv_table.h"
#include "load/zipf.h"

#include <stdio.h>

#define ZIPF_EXPONENT 0.99
#define BATCH_MAX 64
#define SCAN_MAX 100
#define INSERT_EVERY 20 /* 5 % of mixes d and e */
#define LIVE_MIN 16
#define FILL_SAFEPOINT_EVERY 256

enum op { OP_READ, OP_SCAN, OP_UPDATE, OP_INSERT, OP_MODIFY };
static const struct mix {
    uint32_t reads_percent; /* unless it inserts */
    enum op read, write;
    bool reads_latest;
} mixes[] = {{50, OP_READ, OP_UPDATE, false},  {95, OP_READ, OP_UPDATE, false},
             {100, OP_READ, OP_UPDATE, false}, {95, OP_READ, OP_INSERT, true},
             {95, OP_SCAN, OP_INSERT, false},  {50, OP_READ, OP_MODIFY, false}};
enum readers { READERS_LOCKFREE, READERS_LOCKED };

struct state {
    struct shard shards[SHARDS];
    uint64_t seed, live, value_max;
    struct mix mix;
    uint32_t batch;
    bool slots;
    struct zipf ranks;
};
/* Small, as a request has so many. */
struct operation {
    uint64_t key;
    uint32_t stamp;
    uint16_t bytes;
    uint8_t op, count; /* count: keys of a scan */
};
struct request {
    struct operation operations[BATCH_MAX];
};

static struct shard *shard_of(struct state *state, uint64_t key) {
    return &state->shards[hash_u64(key) >> (64 - SHARD_BITS)];
}
static void shard_enter(mem_thread *t, struct shard *shard) {
    scenario_lock(t, &shard->lock);
    mem_scope_enter(t, shard->scope);
}
static void shard_leave(mem_thread *t, struct shard *shard) {
    mem_scope_leave(t, shard->scope);
    pthread_mutex_unlock(&shard->lock);
}
static struct value *new_value(mem_thread *t, const struct shard *shard,
                               const struct operation *operation, uint32_t version) {
    return value_new(t, shard->scope, shard->seed, operation->key, operation->stamp,
                     operation->bytes, version);
}

MEM_INLINE struct value *look_up_locked(mem_thread *t, mem_scope *s, struct shard *shard,
                                        const struct operation *operation, uint64_t key,
                                        bool slots) {
    shard_enter(t, shard);
    struct place at = place_find(t, shard, key, shard_bucket_count(shard), slots);
    if (!at.node && !(key & KEY_INSERTED))
        host_violation("kv-store: an entry is missing");
    if (!at.node)
        shard_add(t, shard, &at, new_value(t, shard, operation, 0), slots);
    struct value *value = edge_read(t, &at.node->value, slots);
    struct value *copy = value_copy(t, s, value);
    edge_read_end(t, &value_type, value, slots);
    place_leave(t, &at, slots);
    shard_grow(t, shard, slots);
    shard_leave(t, shard);
    return copy;
}

MEM_INLINE uint64_t read_one(mem_thread *t, struct state *state, mem_scope *s,
                             const struct operation *operation, uint64_t key, bool slots) {
    struct shard *shard = shard_of(state, key);
    struct value *reply = slots ? shard_look_up(t, s, shard, key) : NULL;
    if (!reply)
        reply = look_up_locked(t, s, shard, operation, key, slots);
    uint64_t hash = value_check(reply, state->seed, key);
    mem_drop(t, s, &value_type, reply);
    return hash;
}

MEM_INLINE uint64_t scan(mem_thread *t, struct state *state, mem_scope *s,
                         const struct operation *operation, bool slots) {
    uint64_t hash = 0;
    for (uint64_t n = 0; n < operation->count; n++) {
        uint64_t key = (operation->key + n) % state->live;
        hash = hash_pair(hash, read_one(t, state, s, operation, key, slots));
        mem_safepoint(t);
    }
    return hash;
}

MEM_INLINE struct value *modified(mem_thread *t, const struct shard *shard, struct node *node,
                                  const struct operation *operation, bool slots) {
    if (!node)
        host_violation("kv-store: an entry is missing");
    struct value *old = edge_read(t, &node->value, slots);
    struct value *new = value_copy(t, shard->scope, old);
    edge_read_end(t, &value_type, old, slots);
    value_restamp(new, operation->stamp);
    return new;
}

MEM_INLINE uint64_t write_one(mem_thread *t, struct state *state, const struct operation *operation,
                              bool slots) {
    struct shard *shard = shard_of(state, operation->key);
    shard_enter(t, shard);
    struct place at = place_find(t, shard, operation->key, shard_bucket_count(shard), slots);
    struct value *value = operation->op == OP_MODIFY
                              ? modified(t, shard, at.node, operation, slots)
                              : new_value(t, shard, operation, at.node ? at.node->writes + 1 : 1);
    uint64_t hash = value_hash(value);
    if (at.node)
        shard_replace(t, shard, at.node, value, slots);
    else if (operation->op == OP_INSERT)
        shard_add(t, shard, &at, value, slots);
    else
        host_violation("kv-store: an entry is missing");
    place_leave(t, &at, slots);
    shard_grow(t, shard, slots);
    shard_leave(t, shard);
    return hash;
}

MEM_INLINE uint64_t serve(mem_thread *t, struct state *state, mem_scope *s,
                          const struct request *request, bool slots) {
    uint64_t hash = 0;
    for (uint32_t n = 0; n < state->batch; n++) {
        const struct operation *operation = &request->operations[n];
        uint64_t one = operation->op == OP_READ
                           ? read_one(t, state, s, operation, operation->key, slots)
                       : operation->op == OP_SCAN ? scan(t, state, s, operation, slots)
                                                  : write_one(t, state, operation, slots);
        hash = hash_pair(hash, one);
    }
    return hash;
}

/* Apart, so that the compiler knows `slots` in each. */
static __attribute__((noinline)) uint64_t
serve_locked(mem_thread *t, struct state *state, mem_scope *s, const struct request *request) {
    return serve(t, state, s, request, false);
}
static __attribute__((noinline)) uint64_t
serve_lockfree(mem_thread *t, struct state *state, mem_scope *s, const struct request *request) {
    return serve(t, state, s, request, true);
}

static uint64_t kv_store_execute(mem_thread *t, void *prepared, uint64_t i, const void *request) {
    struct state *state = prepared;
    mem_unblock(t);
    mem_scope *s = mem_scope_begin(t);
    uint64_t hash = MEM_PROVIDES & MEM_SLOTS && state->slots ? serve_lockfree(t, state, s, request)
                                                             : serve_locked(t, state, s, request);
    mem_scope_end(t, s);
    mem_block(t);
    return hash_pair(i, hash);
}

/* The n-th insert of a stream, which has others in warm-up than in recording. */
static uint64_t inserted_key(uint64_t seed, uint64_t n) {
    return hash_pair(seed, n) | KEY_INSERTED;
}
/* Zipf by age: those that the stream inserts before its operation `number`, then those there from
 * the start. */
static uint64_t latest_key(const struct state *state, uint64_t seed, uint64_t number,
                           uint64_t rank) {
    uint64_t inserts = number / INSERT_EVERY;
    return rank < inserts ? inserted_key(seed, inserts - 1 - rank)
                          : state->live - 1 - (rank - inserts);
}
static void draw(const struct state *state, uint64_t seed, uint64_t number, rng *random,
                 struct operation *operation) {
    const struct mix *mix = &state->mix;
    bool inserts = mix->write == OP_INSERT && number % INSERT_EVERY == INSERT_EVERY - 1;
    bool reads = mix->write == OP_INSERT ? !inserts : rng_below(random, 100) < mix->reads_percent;
    uint64_t rank = zipf_rank(&state->ranks, random);
    operation->op = (uint8_t)(reads ? mix->read : mix->write);
    operation->count = (uint8_t)(1 + rng_below(random, SCAN_MAX));
    operation->bytes = value_draw_bytes(random, state->value_max);
    operation->stamp = (uint32_t)number;
    operation->key = inserts             ? inserted_key(seed, number / INSERT_EVERY)
                     : mix->reads_latest ? latest_key(state, seed, number, rank)
                                         : hash_u64(rank) % state->live;
}
static void kv_store_prepare(const void *prepared, uint64_t seed, uint64_t i, void *into) {
    const struct state *state = prepared;
    struct request *request = into;
    rng random = rng_at(seed, i);
    for (uint32_t n = 0; n < state->batch; n++)
        draw(state, seed, i * state->batch + n, &random, &request->operations[n]);
}

static void fill(mem_thread *t, struct state *state) {
    rng random = rng_at(state->seed, 0x6b76);
    for (uint32_t i = 0; i < SHARDS; i++)
        shard_make(t, &state->shards[i], state->seed, state->live, state->slots);
    for (uint64_t key = 0; key < state->live; key++) {
        struct operation first = {.key = key, .stamp = ~(uint32_t)key};
        struct shard *shard = shard_of(state, key);
        first.bytes = value_draw_bytes(&random, state->value_max);
        mem_scope_enter(t, shard->scope);
        struct place at = place_find(t, shard, key, shard_bucket_count(shard), state->slots);
        shard_add(t, shard, &at, new_value(t, shard, &first, 0), state->slots);
        place_leave(t, &at, state->slots);
        shard_grow(t, shard, state->slots);
        mem_scope_leave(t, shard->scope);
        if (key % FILL_SAFEPOINT_EVERY == 0)
            mem_safepoint(t);
    }
}

static void *kv_store_setup(mem_thread *t, const struct scenario_setup *in) {
    const SCENARIO_PARAMS *params = in->params;
    if (in->live < LIVE_MIN || in->live > LIVE_MAX) {
        snprintf(in->error, in->error_bytes, "kv-store: live must be from %d to %llu entries",
                 LIVE_MIN, (unsigned long long)LIVE_MAX);
        return NULL;
    }
    struct state *state = mem_state_new(sizeof *state);
    state->seed = in->seed;
    state->live = in->live;
    state->value_max = params->value_max;
    state->mix = mixes[params->mix];
    state->batch = (uint32_t)params->batch;
    state->slots = MEM_PROVIDES & MEM_SLOTS && params->readers == READERS_LOCKFREE;
    state->ranks = zipf_make(in->live, ZIPF_EXPONENT);
    fill(t, state);
    return state;
}

static void forget(struct shard *shard, struct node *node, const struct value *value,
                   uint64_t *sum) {
    (void)shard, (void)value, (void)sum;
    node->forgotten = node->writes;
}
/* Where warm-up has inserted, all is made anew, so that as many entries are there as at the start.
 */
static void kv_store_reset(mem_thread *t, void *prepared) {
    struct state *state = prepared;
    bool inserts = state->mix.write == OP_INSERT;
    for (uint32_t i = 0; i < SHARDS; i++) {
        struct shard *shard = &state->shards[i];
        mem_scope_enter(t, shard->scope);
        if (inserts) {
            shard_end(t, shard, state->slots);
        } else {
            shard_walk(t, shard, state->slots, forget, NULL);
            mem_scope_leave(t, shard->scope);
        }
    }
    if (inserts)
        fill(t, state);
}

static uint64_t kv_store_live_bytes(const void *prepared) {
    const struct state *state = prepared;
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < SHARDS; i++)
        bytes += shard_bytes(&state->shards[i]);
    return bytes;
}

static void add_final(struct shard *shard, struct node *node, const struct value *value,
                      uint64_t *sum) {
    uint64_t hash = value_check(value, shard->seed, node->key);
    if (value->version != node->writes)
        host_violation("kv-store: a write was lost");
    *sum += hash_pair(node->key, hash_pair(value->version - node->forgotten, hash));
}
static uint64_t kv_store_finish(mem_thread *t, void *prepared) {
    struct state *state = prepared;
    uint64_t sum = 0;
    for (uint32_t i = 0; i < SHARDS; i++) {
        mem_scope_enter(t, state->shards[i].scope);
        shard_walk(t, &state->shards[i], state->slots, add_final, &sum);
        shard_end(t, &state->shards[i], state->slots);
    }
    mem_state_free(state);
    return sum;
}

const struct scenario scenario_kv_store = {.name = "kv-store",
                                           .request_bytes = sizeof(struct request),
                                           .setup = kv_store_setup,
                                           .prepare = kv_store_prepare,
                                           .execute = kv_store_execute,
                                           .reset = kv_store_reset,
                                           .live_bytes = kv_store_live_bytes,
                                           .finish = kv_store_finish,
                                           SCENARIO_MEMORY};
