/* SPDX-License-Identifier: MIT */
/* allocation_rate.c - so many bytes a request, beside so many bytes that live long.
 *
 * After HyperAlloc of Amazon's Heapothesys (Corretto team, 2020; its ideas: Tene's HeapFragger).
 * As there, objects have 128 to 1023 bytes, uniformly; long-lived ones stand in groups of 512 and
 * refer, at random, to objects of the next group; what is replaced is looked for in the former
 * group, whose references to it are cleared, and with probability 1/2 a hundredth of a group is
 * referred anew. A request allocates `kib`: its objects die in the order of their birth, QUEUE at a
 * time alive, but for each one of `replace` per mille a long-lived object is made in place of
 * another, in one of 16 shards. The allocation rate is --rate x kib, the occupancy `live`: with the
 * defaults and --rate 16384 the original's 1 GiB/s beside 64 MiB. Scaled: QUEUE (there 524,288
 * objects) and the replacement, 1 % of what is allocated (there 1/50 of `live` a minute), so
 * that a run of seconds sees the long-lived objects die too.
 *
 * Stresses what limits a collector: how often it must run (rate) times what it must trace each time
 * (occupancy), against which malloc pays for each object. Read response times over the plane of
 * both, along --rate and along --live: a collector's bend up where it no longer keeps pace, and at
 * a given budget sooner.
 */
#include "load/pattern.h"

#include <stdio.h>

#define SHARDS 16
#define GROUP_ITEMS 512
#define ITEM_BYTES_MIN 128
#define ITEM_BYTES_MAX 1023
#define ITEM_BYTES_MEAN ((ITEM_BYTES_MIN + ITEM_BYTES_MAX) / 2)
#define QUEUE 64
#define SHUFFLED (GROUP_ITEMS / 100)
#define SHARD_GROUP_BYTES                                                                          \
    ((uint64_t)SHARDS * GROUP_ITEMS * ITEM_BYTES_MEAN) /* one in each shard                        \
                                                        */
#define LIVE_KIB_MAX ((uint64_t)1 << 28)
#define NOBODY UINT32_MAX /* the group of a short-lived object */

struct item {
    uint64_t id;
    uint32_t bytes, group; /* bytes: with this head */
    mem_ref next;          /* borrowed: an item of the next group */
    unsigned char content[];
};
static const mem_type item_type;
static const mem_edge item_edges[] = {{offsetof(struct item, next), MEM_BORROWED, &item_type}};
static const mem_type item_type = {.name = "item",
                                   .id = 0,
                                   .size = sizeof(struct item),
                                   .trailing_max = ITEM_BYTES_MAX - sizeof(struct item),
                                   .edge_count = 1,
                                   .edges = item_edges};
struct group {
    uint32_t count, unused;
    mem_ref items[]; /* owned */
};
static const mem_edge group_edge = {0, MEM_OWNED, &item_type};
static const mem_type group_type = {.name = "group",
                                    .id = 1,
                                    .size = sizeof(struct group),
                                    .trailing_max = GROUP_ITEMS * sizeof(mem_ref),
                                    .trailing_edge = &group_edge,
                                    .count_offset = offsetof(struct group, count)};

struct shard {
    pthread_mutex_t lock;
    mem_scope *scope;
    struct group **groups; /* state memory; owned */
    uint64_t bytes;        /* of all items */
    char apart[64];        /* two shards share no cache line */
};
struct state {
    struct shard shards[SHARDS];
    uint32_t group_count; /* of each shard */
    uint64_t request_bytes, replace_per_mille;
    uint64_t warm; /* sum of the hashes of what lived when recording began */
};
struct request {
    uint64_t seed;
};

static struct item *item_new(mem_thread *t, mem_scope *s, rng *random, uint32_t group) {
    uint32_t bytes =
        ITEM_BYTES_MIN + (uint32_t)rng_below(random, ITEM_BYTES_MAX - ITEM_BYTES_MIN + 1);
    struct item *item = mem_new(t, s, &item_type, bytes - sizeof(struct item));
    item->id = rng_u64(random);
    item->bytes = bytes;
    item->group = group;
    pattern_fill(item->content, bytes - sizeof(struct item), item->id);
    return item;
}

static uint64_t item_hash(const struct item *item) {
    if (item->bytes < ITEM_BYTES_MIN || item->bytes > ITEM_BYTES_MAX)
        host_violation("allocation-rate: an object has a size that no object was given");
    return pattern_hash(item->content, item->bytes - sizeof *item, item->id);
}

static uint64_t item_die(mem_thread *t, mem_scope *s, struct item *item) {
    uint64_t hash = item_hash(item);
    mem_drop(t, s, &item_type, item);
    return hash;
}

static uint32_t next_group(const struct state *state, uint32_t group) {
    return (group + 1) % state->group_count;
}
static uint32_t former_group(const struct state *state, uint32_t group) {
    return (group + state->group_count - 1) % state->group_count;
}
static struct item *any_item(const struct shard *shard, uint32_t group, rng *random) {
    return mem_get(&shard->groups[group]->items[rng_below(random, GROUP_ITEMS)]);
}

/* Refers the item to any one of the next group, or to nothing. */
static void refer(const struct state *state, struct shard *shard, struct item *item, rng *random) {
    const struct item *before = mem_get(&item->next);
    if (before && before->group != next_group(state, item->group))
        host_violation("allocation-rate: an object refers to one that is not of the next group");
    bool refers = rng_below(random, 2) == 0;
    mem_link(&item->next, refers ? any_item(shard, next_group(state, item->group), random) : NULL);
}

/* Clears every reference to an item. */
static void forget(const struct state *state, struct shard *shard, const struct item *item) {
    struct group *former = shard->groups[former_group(state, item->group)];
    for (uint32_t k = 0; k < GROUP_ITEMS; k++) {
        struct item *at = mem_get(&former->items[k]);
        if (mem_get(&at->next) == item)
            mem_link(&at->next, NULL);
    }
}

/* Puts an item where one was, and drops that. Adds to both hashes; returns the item's size. */
static uint32_t replace_in(mem_thread *t, const struct state *state, struct shard *shard,
                           rng *random, uint64_t *hash, uint64_t *dead) {
    uint32_t number = (uint32_t)rng_below(random, state->group_count);
    struct group *group = shard->groups[number];
    mem_ref *place = &group->items[rng_below(random, GROUP_ITEMS)];
    forget(state, shard, mem_get(place));
    struct item *old = mem_take(t, group, place);
    struct item *item = item_new(t, shard->scope, random, number);
    mem_set(t, shard->scope, group, place, &item_type, item);
    *hash += item_hash(item);
    shard->bytes += item->bytes;
    shard->bytes -= old->bytes;
    *dead += item_die(t, shard->scope, old);
    refer(state, shard, item, random);
    if (rng_below(random, 2) == 0)
        mem_link(&any_item(shard, former_group(state, number), random)->next, item);
    if (rng_below(random, 2) == 0) {
        number = (uint32_t)rng_below(random, state->group_count);
        for (int k = 0; k < SHUFFLED; k++)
            refer(state, shard, any_item(shard, number, random), random);
    }
    return item->bytes;
}

static uint32_t replace(mem_thread *t, struct state *state, rng *random, uint64_t *hash,
                        uint64_t *dead) {
    struct shard *shard = &state->shards[rng_below(random, SHARDS)];
    scenario_lock(t, &shard->lock);
    mem_scope_enter(t, shard->scope);
    uint32_t bytes = replace_in(t, state, shard, random, hash, dead);
    mem_scope_leave(t, shard->scope);
    pthread_mutex_unlock(&shard->lock);
    return bytes;
}

/* Allocates what the request has to; returns the sum of the hashes of what it made. */
static uint64_t churn(mem_thread *t, struct state *state, mem_scope *s, uint64_t seed,
                      uint64_t *dead) {
    struct item *queue[QUEUE] = {0};
    rng random = rng_at(seed, 0);
    uint64_t hash = 0, bytes = 0;
    for (uint32_t at = 0; bytes < state->request_bytes;) {
        if (rng_below(&random, 1000) < state->replace_per_mille) {
            bytes += replace(t, state, &random, &hash, dead);
            continue;
        }
        if (queue[at])
            hash += item_die(t, s, queue[at]);
        queue[at] = item_new(t, s, &random, NOBODY);
        bytes += queue[at]->bytes;
        at = (at + 1) % QUEUE;
    }
    for (uint32_t at = 0; at < QUEUE; at++)
        if (queue[at])
            hash += item_die(t, s, queue[at]);
    return hash;
}

static uint64_t allocation_rate_execute(mem_thread *t, void *prepared, uint64_t i, const void *in) {
    const struct request *request = in;
    uint64_t dead = 0;
    mem_unblock(t);
    mem_scope *s = mem_scope_begin(t);
    uint64_t hash = churn(t, prepared, s, request->seed, &dead);
    mem_scope_end(t, s);
    mem_block(t);
    return hash_pair(i, hash) + dead;
}

static void allocation_rate_prepare(const void *prepared, uint64_t seed, uint64_t i, void *into) {
    struct request *request = into;
    (void)prepared;
    request->seed = hash_pair(seed, i);
}

static void make_shard(mem_thread *t, const struct state *state, struct shard *shard,
                       uint64_t seed) {
    rng random = rng_at(seed, 0);
    pthread_mutex_init(&shard->lock, NULL);
    shard->scope = mem_scope_begin(t);
    shard->groups = mem_state_new(state->group_count * sizeof(struct group *));
    for (uint32_t g = 0; g < state->group_count; g++) {
        struct group *group = mem_new(t, shard->scope, &group_type, GROUP_ITEMS * sizeof(mem_ref));
        shard->groups[g] = group;
        for (uint32_t k = 0; k < GROUP_ITEMS; k++) {
            struct item *item = item_new(t, shard->scope, &random, g);
            shard->bytes += item->bytes;
            mem_set(t, shard->scope, group, &group->items[k], &item_type, item);
        }
        mem_safepoint(t);
    }
    for (uint32_t g = 0; g < state->group_count; g++)
        for (uint32_t k = 0; k < GROUP_ITEMS; k++)
            refer(state, shard, mem_get(&shard->groups[g]->items[k]), &random);
    mem_scope_leave(t, shard->scope);
}

static void *allocation_rate_setup(mem_thread *t, const struct scenario_setup *in) {
    const SCENARIO_PARAMS *params = in->params;
    if (in->live > LIVE_KIB_MAX) {
        snprintf(in->error, in->error_bytes, "allocation-rate: live must be at most %llu KiB",
                 (unsigned long long)LIVE_KIB_MAX);
        return NULL;
    }
    struct state *state = mem_state_new(sizeof *state);
    state->group_count = (uint32_t)((in->live * 1024 + SHARD_GROUP_BYTES / 2) / SHARD_GROUP_BYTES);
    if (state->group_count == 0)
        state->group_count = 1;
    state->request_bytes = params->kib * 1024;
    state->replace_per_mille = params->replace;
    for (uint64_t i = 0; i < SHARDS; i++)
        make_shard(t, state, &state->shards[i], hash_pair(in->seed, i));
    return state;
}

/* The sum of the hashes of all long-lived objects. */
static uint64_t living(mem_thread *t, struct state *state) {
    uint64_t sum = 0;
    for (int i = 0; i < SHARDS; i++) {
        struct shard *shard = &state->shards[i];
        mem_scope_enter(t, shard->scope);
        for (uint32_t g = 0; g < state->group_count; g++)
            for (uint32_t k = 0; k < GROUP_ITEMS; k++)
                sum += item_hash(mem_get(&shard->groups[g]->items[k]));
        mem_scope_leave(t, shard->scope);
        mem_safepoint(t);
    }
    return sum;
}

static void allocation_rate_reset(mem_thread *t, void *prepared) {
    struct state *state = prepared;
    state->warm = living(t, state);
}

static uint64_t allocation_rate_live_bytes(const void *prepared) {
    const struct state *state = prepared;
    uint64_t bytes = (uint64_t)SHARDS * state->group_count *
                     (sizeof(struct group) + GROUP_ITEMS * sizeof(mem_ref));
    for (int i = 0; i < SHARDS; i++)
        bytes += state->shards[i].bytes;
    return bytes;
}

static void end_shard(mem_thread *t, const struct state *state, struct shard *shard) {
    mem_scope_enter(t, shard->scope);
    for (uint32_t g = 0; g < state->group_count; g++) /* no reference outlives its object */
        for (uint32_t k = 0; k < GROUP_ITEMS; k++)
            mem_link(&((struct item *)mem_get(&shard->groups[g]->items[k]))->next, NULL);
    for (uint32_t g = 0; g < state->group_count; g++) {
        mem_drop(t, shard->scope, &group_type, shard->groups[g]);
        shard->groups[g] = NULL;
    }
    mem_scope_end(t, shard->scope);
    mem_state_free(shard->groups);
    pthread_mutex_destroy(&shard->lock);
}

static uint64_t allocation_rate_finish(mem_thread *t, void *prepared) {
    struct state *state = prepared;
    uint64_t sum = living(t, state) - state->warm;
    for (int i = 0; i < SHARDS; i++)
        end_shard(t, state, &state->shards[i]);
    mem_state_free(state);
    return sum;
}

const struct scenario scenario_allocation_rate = {.name = "allocation-rate",
                                                  .request_bytes = sizeof(struct request),
                                                  .setup = allocation_rate_setup,
                                                  .prepare = allocation_rate_prepare,
                                                  .execute = allocation_rate_execute,
                                                  .reset = allocation_rate_reset,
                                                  .live_bytes = allocation_rate_live_bytes,
                                                  .finish = allocation_rate_finish,
                                                  SCENARIO_MEMORY};
