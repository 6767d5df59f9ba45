/* SPDX-License-Identifier: MIT */
/* dataplane_flows.h - the flow table: translations and counters, in shards, the least recently used
 * flow going where there is no room.
 *
 * A shard has a lock and a scope that lives as long as the program. What a flow counted is added to
 * the ledger, a plain array, when it goes; sums do not depend on when that is. A flow that comes
 * back gets the translation that it had (RFC 7422).
 */
#ifndef TAILRACE_SCENARIOS_DATAPLANE_FLOWS_H
#define TAILRACE_SCENARIOS_DATAPLANE_FLOWS_H

#include "memory/scenario.h"

#include "load/dataplane_capture.h"

#define SHARDS 16

struct flow {
    mem_ref next;         /* owned: hash chain */
    mem_ref newer, older; /* borrowed: order of use */
    struct flow_key key;
    struct translation translation;
    uint64_t packets, bytes;
};
struct table {
    uint32_t bucket_count, unused;
    mem_ref buckets[]; /* owned */
};

static const mem_type flow_type;
static const mem_edge flow_edges[] = {{offsetof(struct flow, next), MEM_OWNED, &flow_type},
                                      {offsetof(struct flow, newer), MEM_BORROWED, &flow_type},
                                      {offsetof(struct flow, older), MEM_BORROWED, &flow_type}};
static const mem_type flow_type = {
    .name = "flow", .id = 0, .size = sizeof(struct flow), .edge_count = 3, .edges = flow_edges};
static const mem_edge bucket_edge = {0, MEM_OWNED, &flow_type};
static const mem_type table_type = {.name = "table",
                                    .id = 1,
                                    .size = sizeof(struct table),
                                    .trailing_max = FLOWS_MAX / SHARDS * 2 * sizeof(mem_ref),
                                    .trailing_edge = &bucket_edge,
                                    .count_offset = offsetof(struct table, bucket_count)};

struct shard {
    pthread_mutex_t lock;
    mem_scope *scope;
    struct table *table; /* owned */
    mem_ref newest, oldest;
    uint64_t count, capacity;
    char apart[64]; /* two shards share no cache line */
};
struct counters {
    uint64_t packets, bytes;
};
/* In state memory. */
struct flows {
    struct shard shards[SHARDS];
    struct counters *ledger; /* plain memory, by number of flow */
    uint64_t flow_count, bucket_count;
};

static inline uint64_t key_hash(const struct flow_key *key) {
    return hash_bytes(0, key, sizeof *key);
}

static inline void flow_unlink(struct shard *shard, struct flow *flow) {
    struct flow *newer = mem_get(&flow->newer), *older = mem_get(&flow->older);
    mem_link(newer ? &newer->older : &shard->newest, older);
    mem_link(older ? &older->newer : &shard->oldest, newer);
}
static inline void flow_push(struct shard *shard, struct flow *flow) {
    struct flow *newest = mem_get(&shard->newest);
    mem_link(&flow->newer, NULL);
    mem_link(&flow->older, newest);
    mem_link(newest ? &newest->newer : &shard->oldest, flow);
    mem_link(&shard->newest, flow);
}

static inline mem_ref *flow_bucket(struct shard *shard, uint64_t hash) {
    return &shard->table->buckets[(hash >> 32) & (shard->table->bucket_count - 1)];
}

static inline void flow_write_back(struct flows *flows, struct flow *flow) {
    struct counters *counters = &flows->ledger[flow_number(&flow->key)];
    counters->packets += flow->packets;
    counters->bytes += flow->bytes;
}

/* Takes the least recently used flow out of its chain, writes it back and drops it. */
static inline void flow_evict(mem_thread *t, struct flows *flows, struct shard *shard) {
    struct flow *victim = mem_get(&shard->oldest), *at;
    void *owner = shard->table;
    mem_ref *edge = flow_bucket(shard, key_hash(&victim->key));
    while ((at = mem_get(edge)) != victim) {
        owner = at;
        edge = &at->next;
    }
    mem_take(t, owner, edge);
    mem_set(t, shard->scope, owner, edge, &flow_type, mem_take(t, victim, &victim->next));
    flow_unlink(shard, victim);
    flow_write_back(flows, victim);
    mem_drop(t, shard->scope, &flow_type, victim);
    shard->count--;
}

static inline struct flow *flow_open(mem_thread *t, struct flows *flows, struct shard *shard,
                                     const struct flow_key *key, uint64_t hash) {
    if (flow_number(key) >= flows->flow_count)
        host_violation("dataplane: a packet was parsed that is of no flow");
    if (shard->count == shard->capacity)
        flow_evict(t, flows, shard);
    struct flow *flow = mem_new(t, shard->scope, &flow_type, 0);
    mem_ref *bucket = flow_bucket(shard, hash);
    flow->key = *key;
    flow->translation = (struct translation){.address = {198, 51, 100, (uint8_t)hash}};
    put_be16(flow->translation.port, 1024 + (uint32_t)((hash >> 8) % 64512));
    flow->packets = flow->bytes = 0;
    mem_set(t, shard->scope, flow, &flow->next, &flow_type, mem_take(t, shard->table, bucket));
    mem_set(t, shard->scope, shard->table, bucket, &flow_type, flow);
    flow_push(shard, flow);
    shard->count++;
    return flow;
}

/* Under the shard's lock. */
static inline struct flow *flow_find(mem_thread *t, struct flows *flows, struct shard *shard,
                                     const struct flow_key *key, uint64_t hash) {
    struct flow *flow = mem_get(flow_bucket(shard, hash));
    while (flow && memcmp(&flow->key, key, sizeof *key) != 0)
        flow = mem_get(&flow->next);
    if (!flow)
        return flow_open(t, flows, shard, key, hash);
    if (mem_get(&shard->newest) != flow) {
        flow_unlink(shard, flow);
        flow_push(shard, flow);
    }
    return flow;
}

/* Counts a packet of the flow, which begins with it if it is not known. */
static inline struct translation flows_count(mem_thread *t, struct flows *flows,
                                             const struct flow_key *key, uint32_t bytes) {
    uint64_t hash = key_hash(key);
    struct shard *shard = &flows->shards[hash % SHARDS];
    scenario_lock(t, &shard->lock);
    mem_scope_enter(t, shard->scope);
    struct flow *flow = flow_find(t, flows, shard, key, hash);
    flow->packets++;
    flow->bytes += bytes;
    struct translation translation = flow->translation;
    mem_scope_leave(t, shard->scope);
    pthread_mutex_unlock(&shard->lock);
    return translation;
}

/* Opens the `live` most frequent flows, in an order unlike that of their use. */
static inline void flows_fill(mem_thread *t, struct flows *flows, const struct capture *capture,
                              uint64_t live) {
    uint64_t span = 1;
    while (span < live)
        span *= 2;
    for (uint64_t i = 0; i < span; i++) {
        uint64_t number = (i * 2654435761u) & (span - 1); /* odd: each of the span once */
        if (number >= live)
            continue;
        struct shape shape = flow_shape(capture, number, false, false);
        uint64_t hash = key_hash(&shape.key);
        struct shard *shard = &flows->shards[hash % SHARDS];
        mem_scope_enter(t, shard->scope);
        flow_find(t, flows, shard, &shape.key, hash);
        mem_scope_leave(t, shard->scope);
        mem_safepoint(t);
    }
}

static inline void flows_make(mem_thread *t, struct flows *flows, const struct capture *capture,
                              uint64_t live) {
    uint64_t capacity = live / SHARDS + 1;
    flows->flow_count = capture->flow_count;
    flows->ledger = calloc(flows->flow_count, sizeof *flows->ledger);
    if (!flows->ledger)
        host_out_of_memory(flows->flow_count * sizeof *flows->ledger);
    for (flows->bucket_count = 16; flows->bucket_count < capacity;)
        flows->bucket_count *= 2;
    for (int i = 0; i < SHARDS; i++) {
        struct shard *shard = &flows->shards[i];
        pthread_mutex_init(&shard->lock, NULL);
        shard->scope = mem_scope_begin(t);
        shard->table = mem_new(t, shard->scope, &table_type, flows->bucket_count * sizeof(mem_ref));
        shard->capacity = capacity;
        mem_scope_leave(t, shard->scope);
    }
    flows_fill(t, flows, capture, live);
}

/* Forgets all counts, not the flows. */
static inline void flows_reset(mem_thread *t, struct flows *flows) {
    memset(flows->ledger, 0, flows->flow_count * sizeof *flows->ledger);
    for (int i = 0; i < SHARDS; i++) {
        struct shard *shard = &flows->shards[i];
        mem_scope_enter(t, shard->scope);
        for (struct flow *flow = mem_get(&shard->newest); flow; flow = mem_get(&flow->older))
            flow->packets = flow->bytes = 0;
        mem_scope_leave(t, shard->scope);
        mem_safepoint(t);
    }
}

static inline uint64_t flows_live_bytes(const struct flows *flows) {
    uint64_t bytes = 0;
    for (int i = 0; i < SHARDS; i++)
        bytes += sizeof(struct table) + flows->bucket_count * sizeof(mem_ref) +
                 flows->shards[i].count * sizeof(struct flow);
    return bytes;
}

/* Gives everything back; returns the hash of what each flow counted, and all packets. */
static inline uint64_t flows_close(mem_thread *t, struct flows *flows, uint64_t *packets) {
    uint64_t sum = 0;
    *packets = 0;
    for (int i = 0; i < SHARDS; i++) {
        struct shard *shard = &flows->shards[i];
        mem_scope_enter(t, shard->scope);
        for (struct flow *flow = mem_get(&shard->newest); flow; flow = mem_get(&flow->older))
            flow_write_back(flows, flow);
        mem_link(&shard->newest, NULL);
        mem_link(&shard->oldest, NULL);
        mem_drop(t, shard->scope, &table_type, shard->table);
        shard->table = NULL;
        mem_scope_end(t, shard->scope);
        pthread_mutex_destroy(&shard->lock);
    }
    for (uint64_t number = 0; number < flows->flow_count; number++) {
        const struct counters *counters = &flows->ledger[number];
        *packets += counters->packets;
        sum += hash_pair(number, hash_pair(counters->packets, counters->bytes));
    }
    free(flows->ledger);
    return sum;
}

#endif
