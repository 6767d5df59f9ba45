/* SPDX-License-Identifier: MIT */
/* config.h - read-mostly configuration without a lock for its readers: what config-snapshot and
 * stalled-reader share (claims.md, 14).
 *
 * A configuration is an immutable tree, a snapshot: an open-addressed table that owns its entries.
 * It hangs in the slot of a board. A request reads it through the slot and looks some keys up; a
 * quarter of them read a second configuration inside the first read. An update builds a whole new
 * snapshot under the writers' lock, carries each entry's number of updates over, and swaps it in.
 * Those numbers are the final values: additions, so their order does not matter. All entries of a
 * snapshot have its version, which a reader who looks at reclaimed memory finds out.
 */
#ifndef TAILRACE_LOAD_CONFIG_H
#define TAILRACE_LOAD_CONFIG_H

#include "memory/scenario.h"

#include <stdio.h>

#define CONFIGS 2
#define CONFIG_KEYS_MAX 8 /* of a request */
#define CONFIG_NESTED_EVERY 4
#define CONFIG_ENTRIES_MAX ((uint64_t)1 << 20)
#define CONFIG_SAFEPOINT_EVERY 256 /* entries that a writer makes in one stretch */
#define RULES_MIN 16               /* of an entry; 8 bytes each */
#define RULES_SPREAD 48

struct entry {
    uint64_t key, updates;
    uint32_t version, rule_count;
    uint64_t rules[]; /* follow from the key */
};
struct snapshot {
    uint32_t place_count, version;
    mem_ref places[]; /* owned: entries by hash of the key, every other one empty at least */
};
struct board {
    mem_slot current;
};
struct reply {
    uint64_t count, hashes[];
};

static const mem_type entry_type = {.name = "entry",
                                    .id = 0,
                                    .size = sizeof(struct entry),
                                    .trailing_max = (RULES_MIN + RULES_SPREAD) * sizeof(uint64_t)};
static const mem_edge place_edge = {0, MEM_OWNED, &entry_type};
static const mem_type snapshot_type = {.name = "snapshot",
                                       .id = 1,
                                       .size = sizeof(struct snapshot),
                                       .trailing_max =
                                           (uint32_t)(4 * CONFIG_ENTRIES_MAX * sizeof(mem_ref)),
                                       .trailing_edge = &place_edge,
                                       .count_offset = offsetof(struct snapshot, place_count)};
static const mem_edge board_edges[] = {{offsetof(struct board, current), MEM_SLOT, &snapshot_type}};
static const mem_type board_type = {
    .name = "board", .id = 2, .size = sizeof(struct board), .edge_count = 1, .edges = board_edges};
static const mem_type reply_type = {.name = "reply",
                                    .id = 3,
                                    .size = sizeof(struct reply),
                                    .trailing_max = CONFIG_KEYS_MAX * sizeof(uint64_t)};

struct config {
    pthread_mutex_t lock; /* the writers' */
    mem_scope *scope;
    struct board *board; /* owned */
    uint64_t seed;
    char apart[64]; /* two configurations share no cache line */
};
/* State memory; zeroed. */
struct configs {
    struct config each[CONFIGS];
    uint64_t entries; /* of each */
    uint64_t bytes;   /* of all objects */
    uint32_t update_per_mille;
};
struct config_request {
    uint32_t config, key_count;
    bool update, nested;
    uint64_t keys[CONFIG_KEYS_MAX];
};

static uint32_t config_rule_count(const struct config *config, uint64_t key) {
    return RULES_MIN + (uint32_t)(hash_pair(config->seed, key) % RULES_SPREAD);
}

static struct entry *entry_new(mem_thread *t, const struct config *config, uint64_t key) {
    uint32_t count = config_rule_count(config, key);
    struct entry *entry = mem_new(t, config->scope, &entry_type, count * sizeof(uint64_t));
    rng random = rng_at(config->seed, key);
    entry->key = key;
    entry->updates = entry->version = 0;
    entry->rule_count = count;
    for (uint32_t i = 0; i < count; i++)
        entry->rules[i] = rng_u64(&random);
    return entry;
}

static uint32_t config_place_count(uint64_t entries) {
    uint32_t count = 2;
    while (count < 2 * entries)
        count *= 2;
    return count;
}

static struct snapshot *snapshot_new(mem_thread *t, const struct config *config, uint32_t places) {
    return mem_new(t, config->scope, &snapshot_type, places * sizeof(mem_ref));
}

/* Without updates: what a process starts with. */
static struct snapshot *snapshot_first(mem_thread *t, const struct config *config,
                                       uint64_t entries) {
    struct snapshot *first = snapshot_new(t, config, config_place_count(entries));
    first->version = 0;
    for (uint64_t key = 0; key < entries; key++) {
        uint64_t place = hash_u64(key);
        while (mem_get(&first->places[place & (first->place_count - 1)]))
            place++;
        mem_set(t, config->scope, first, &first->places[place & (first->place_count - 1)],
                &entry_type, entry_new(t, config, key));
        if (key % CONFIG_SAFEPOINT_EVERY == 0)
            mem_safepoint(t);
    }
    return first;
}

/* All made anew but the numbers of updates. Those who wait for the writers' lock are in block. */
static struct snapshot *snapshot_next(mem_thread *t, const struct config *config,
                                      const struct snapshot *old) {
    struct snapshot *next = snapshot_new(t, config, old->place_count);
    next->version = old->version + 1;
    for (uint32_t i = 0; i < old->place_count; i++) {
        const struct entry *before = mem_get(&old->places[i]);
        if (i % (2 * CONFIG_SAFEPOINT_EVERY) == 0)
            mem_safepoint(t);
        if (!before)
            continue;
        struct entry *entry = entry_new(t, config, before->key);
        entry->updates = before->updates;
        entry->version = next->version;
        mem_set(t, config->scope, next, &next->places[i], &entry_type, entry);
    }
    return next;
}

static struct entry *snapshot_find(const struct snapshot *snapshot, uint64_t key) {
    uint64_t place = hash_u64(key);
    struct entry *entry;
    do {
        entry = mem_get(&snapshot->places[place++ & (snapshot->place_count - 1)]);
        if (!entry || entry->version != snapshot->version)
            host_violation("a snapshot lacks an entry, or has another version's");
    } while (entry->key != key);
    return entry;
}

static uint64_t entry_hash(const struct entry *entry) {
    return hash_bytes(entry->key, entry->rules, entry->rule_count * sizeof *entry->rules);
}

static void config_publish(mem_thread *t, struct config *config, struct snapshot *snapshot) {
    mem_slot_swap(t, config->scope, config->board, &config->board->current, &snapshot_type,
                  snapshot);
}

/* Returns the hash of the entries that it changed, read back. */
static uint64_t config_update(mem_thread *t, struct config *config,
                              const struct config_request *request) {
    uint64_t hash = 0;
    scenario_lock(t, &config->lock);
    mem_scope_enter(t, config->scope);
    struct snapshot *old = mem_slot_read(t, &config->board->current);
    struct snapshot *next = snapshot_next(t, config, old);
    mem_slot_read_end(t, &snapshot_type, old);
    for (uint32_t k = 0; k < request->key_count; k++) {
        struct entry *entry = snapshot_find(next, request->keys[k]);
        entry->updates++;
        hash += entry_hash(entry);
    }
    config_publish(t, config, next);
    mem_scope_leave(t, config->scope);
    pthread_mutex_unlock(&config->lock);
    return hash;
}

static void config_look_up(mem_thread *t, struct config *config,
                           const struct config_request *request, struct reply *reply) {
    struct snapshot *snapshot = mem_slot_read(t, &config->board->current);
    if (request->nested) { /* the other configuration, inside this read */
        struct config_request inner = *request;
        inner.nested = false;
        inner.key_count = request->key_count / 2;
        struct config *other = config + (request->config == 0 ? 1 : -1);
        config_look_up(t, other, &inner, reply);
    }
    for (uint32_t k = request->nested ? request->key_count / 2 : 0; k < request->key_count; k++)
        reply->hashes[reply->count++] = entry_hash(snapshot_find(snapshot, request->keys[k]));
    mem_slot_read_end(t, &snapshot_type, snapshot);
}

static uint64_t configs_execute(mem_thread *t, void *prepared, uint64_t i, const void *in) {
    struct configs *configs = prepared; /* or a state that begins with one */
    const struct config_request *request = in;
    struct config *config = &configs->each[request->config];
    mem_unblock(t);
    mem_scope *s = mem_scope_begin(t);
    struct reply *reply = mem_new(t, s, &reply_type, request->key_count * sizeof(uint64_t));
    reply->count = 0;
    if (request->update)
        reply->hashes[reply->count++] = config_update(t, config, request);
    else
        config_look_up(t, config, request, reply);
    uint64_t hash = hash_bytes(reply->count, reply->hashes, reply->count * sizeof *reply->hashes);
    mem_drop(t, s, &reply_type, reply);
    mem_scope_end(t, s);
    mem_block(t);
    return hash_pair(i, hash);
}

static void configs_prepare(const void *prepared, uint64_t seed, uint64_t i, void *into) {
    const struct configs *configs = prepared;
    struct config_request *request = into;
    rng random = rng_at(seed, i);
    request->update = rng_below(&random, 1000) < configs->update_per_mille;
    request->nested = rng_below(&random, CONFIG_NESTED_EVERY) == 0 && !request->update;
    request->config = (uint32_t)rng_below(&random, CONFIGS);
    request->key_count = 1 + (uint32_t)rng_below(&random, CONFIG_KEYS_MAX);
    for (uint32_t k = 0; k < request->key_count; k++)
        request->keys[k] = rng_below(&random, configs->entries);
}

static bool configs_setup(mem_thread *t, struct configs *configs, uint32_t update_per_mille,
                          const struct scenario_setup *in) {
    if (in->live > CONFIG_ENTRIES_MAX) {
        snprintf(in->error, in->error_bytes, "live must be at most %llu entries",
                 (unsigned long long)CONFIG_ENTRIES_MAX);
        return false;
    }
    configs->entries = in->live;
    configs->update_per_mille = update_per_mille;
    for (uint32_t i = 0; i < CONFIGS; i++) {
        struct config *config = &configs->each[i];
        pthread_mutex_init(&config->lock, NULL);
        config->seed = hash_pair(in->seed, i);
        config->scope = mem_scope_begin(t);
        config->board = mem_new(t, config->scope, &board_type, 0);
        config_publish(t, config, snapshot_first(t, config, in->live));
        mem_scope_leave(t, config->scope);
        configs->bytes += sizeof(struct board) + sizeof(struct snapshot) +
                          config_place_count(in->live) * sizeof(mem_ref);
        for (uint64_t key = 0; key < in->live; key++)
            configs->bytes +=
                sizeof(struct entry) + config_rule_count(config, key) * sizeof(uint64_t);
    }
    return true;
}

static void configs_reset(mem_thread *t, void *prepared) {
    struct configs *configs = prepared;
    for (uint32_t i = 0; i < CONFIGS; i++) {
        struct config *config = &configs->each[i];
        mem_scope_enter(t, config->scope);
        config_publish(t, config, snapshot_first(t, config, configs->entries));
        mem_scope_leave(t, config->scope);
    }
}

static uint64_t configs_live_bytes(const void *prepared) {
    const struct configs *configs = prepared;
    return configs->bytes;
}

static uint64_t configs_finish(mem_thread *t, struct configs *configs) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < CONFIGS; i++) {
        struct config *config = &configs->each[i];
        mem_scope_enter(t, config->scope);
        struct snapshot *last = mem_slot_read(t, &config->board->current);
        for (uint64_t key = 0; key < configs->entries; key++) {
            const struct entry *entry = snapshot_find(last, key);
            sum += hash_pair(key, hash_pair(entry->updates, entry_hash(entry)));
        }
        mem_slot_read_end(t, &snapshot_type, last);
        mem_drop(t, config->scope, &board_type, config->board);
        config->board = NULL;
        mem_scope_end(t, config->scope);
        pthread_mutex_destroy(&config->lock);
    }
    return sum;
}

#endif
