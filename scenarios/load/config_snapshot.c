/* SPDX-License-Identifier: MIT */
/* config_snapshot.c - read-mostly configuration without a lock for its readers, replaced whole.
 *
 * After read-copy update (McKenney, Slingwine) as Rust's arc-swap offers it. A configuration is an
 * immutable tree, a snapshot: an open-addressed table that owns its entries. It hangs in the slot
 * of a board. A request reads it through the slot and looks some keys up; a quarter of them read a
 * second configuration inside the first read. An update builds a whole new snapshot under the
 * writers' lock, carries each entry's number of updates over, and swaps it in. Those numbers are
 * the final values: additions, so their order does not matter. All entries of a snapshot have its
 * version, which a reader who looks at reclaimed memory finds out.
 *
 * With stalled=1 (Michael, Hazard Pointers, 2004) a thread of the scenario's own begins to read
 * before the first request and stays in that read, in block, until all are done: as one that was
 * swapped out, stopped in a debugger, or waits for the network inside its read.
 *
 * Stresses the reclamation of what readers without a lock may still see, and the cost of protecting
 * each read. Read the p99 of what protects by counts or hazard pointers against what defers by
 * epochs, and with stalled=1 the peak of resident memory: what waits for all readers of its time
 * reclaims nothing meanwhile, what protects single objects reclaims all but that one snapshot.
 */
#include "load/own_thread.h"

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
struct state {
    struct config configs[CONFIGS];
    uint64_t entries; /* of each */
    uint64_t bytes;   /* of all objects */
    SCENARIO_PARAMS params;
    pthread_t reader; /* with stalled=1 */
    sem_t reading, finish;
    uint64_t reader_hash; /* of what the reader still finds at its end */
};
struct request {
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
static uint64_t config_update(mem_thread *t, struct config *config, const struct request *request) {
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

static void config_look_up(mem_thread *t, struct config *config, const struct request *request,
                           struct reply *reply) {
    struct snapshot *snapshot = mem_slot_read(t, &config->board->current);
    if (request->nested) { /* the other configuration, inside this read */
        struct request inner = *request;
        inner.nested = false;
        inner.key_count = request->key_count / 2;
        struct config *other = config + (request->config == 0 ? 1 : -1);
        config_look_up(t, other, &inner, reply);
    }
    for (uint32_t k = request->nested ? request->key_count / 2 : 0; k < request->key_count; k++)
        reply->hashes[reply->count++] = entry_hash(snapshot_find(snapshot, request->keys[k]));
    mem_slot_read_end(t, &snapshot_type, snapshot);
}

static uint64_t config_snapshot_execute(mem_thread *t, void *prepared, uint64_t i, const void *in) {
    struct state *state = prepared;
    const struct request *request = in;
    struct config *config = &state->configs[request->config];
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

static void config_snapshot_prepare(const void *prepared, uint64_t seed, uint64_t i, void *into) {
    const struct state *state = prepared;
    struct request *request = into;
    rng random = rng_at(seed, i);
    request->update = rng_below(&random, 1000) < state->params.updates;
    request->nested = rng_below(&random, CONFIG_NESTED_EVERY) == 0 && !request->update;
    request->config = (uint32_t)rng_below(&random, CONFIGS);
    request->key_count = 1 + (uint32_t)rng_below(&random, CONFIG_KEYS_MAX);
    for (uint32_t k = 0; k < request->key_count; k++)
        request->keys[k] = rng_below(&random, state->entries);
}

static void *stand_still(void *argument) {
    struct state *state = argument;
    mem_thread *t = mem_attach();
    struct snapshot *first = mem_slot_read(t, &state->configs[0].board->current);
    mem_block(t);
    sem_post(&state->reading);
    wait_for(&state->finish);
    mem_unblock(t);
    for (uint64_t key = 0; key < state->entries; key++) {
        const struct entry *entry = snapshot_find(first, key);
        state->reader_hash += hash_pair(entry->updates, entry_hash(entry));
    }
    mem_slot_read_end(t, &snapshot_type, first);
    mem_detach(t);
    return NULL;
}

static void start_reader(mem_thread *t, struct state *state) {
    sem_init(&state->reading, 0, 0);
    sem_init(&state->finish, 0, 0);
    state->reader = own_thread(stand_still, state);
    mem_block(t);
    wait_for(&state->reading);
    mem_unblock(t);
}

static void end_reader(mem_thread *t, struct state *state) {
    sem_post(&state->finish);
    own_thread_join(t, state->reader);
    sem_destroy(&state->reading);
    sem_destroy(&state->finish);
}

static void config_setup(mem_thread *t, struct state *state, uint32_t i, uint64_t seed) {
    struct config *config = &state->configs[i];
    pthread_mutex_init(&config->lock, NULL);
    config->seed = hash_pair(seed, i);
    config->scope = mem_scope_begin(t);
    config->board = mem_new(t, config->scope, &board_type, 0);
    config_publish(t, config, snapshot_first(t, config, state->entries));
    mem_scope_leave(t, config->scope);
    state->bytes += sizeof(struct board) + sizeof(struct snapshot) +
                    config_place_count(state->entries) * sizeof(mem_ref);
    for (uint64_t key = 0; key < state->entries; key++)
        state->bytes += sizeof(struct entry) + config_rule_count(config, key) * sizeof(uint64_t);
}

static void *config_snapshot_setup(mem_thread *t, const struct scenario_setup *in) {
    const SCENARIO_PARAMS *params = in->params;
    if (in->live > CONFIG_ENTRIES_MAX) {
        snprintf(in->error, in->error_bytes, "config-snapshot: live must be at most %llu entries",
                 (unsigned long long)CONFIG_ENTRIES_MAX);
        return NULL;
    }
    struct state *state = mem_state_new(sizeof *state);
    state->entries = in->live;
    state->params = *params;
    for (uint32_t i = 0; i < CONFIGS; i++)
        config_setup(t, state, i, in->seed);
    if (params->stalled)
        start_reader(t, state);
    return state;
}

static void config_snapshot_reset(mem_thread *t, void *prepared) {
    struct state *state = prepared;
    for (uint32_t i = 0; i < CONFIGS; i++) {
        struct config *config = &state->configs[i];
        mem_scope_enter(t, config->scope);
        config_publish(t, config, snapshot_first(t, config, state->entries));
        mem_scope_leave(t, config->scope);
    }
}

static uint64_t config_snapshot_live_bytes(const void *prepared) {
    const struct state *state = prepared;
    return state->bytes;
}

static uint64_t config_finish(mem_thread *t, struct config *config, uint64_t entries) {
    uint64_t sum = 0;
    mem_scope_enter(t, config->scope);
    struct snapshot *last = mem_slot_read(t, &config->board->current);
    for (uint64_t key = 0; key < entries; key++) {
        const struct entry *entry = snapshot_find(last, key);
        sum += hash_pair(key, hash_pair(entry->updates, entry_hash(entry)));
    }
    mem_slot_read_end(t, &snapshot_type, last);
    mem_drop(t, config->scope, &board_type, config->board);
    config->board = NULL;
    mem_scope_end(t, config->scope);
    pthread_mutex_destroy(&config->lock);
    return sum;
}

static uint64_t config_snapshot_finish(mem_thread *t, void *prepared) {
    struct state *state = prepared;
    if (state->params.stalled)
        end_reader(t, state);
    uint64_t sum = state->reader_hash;
    for (uint32_t i = 0; i < CONFIGS; i++)
        sum += config_finish(t, &state->configs[i], state->entries);
    mem_state_free(state);
    return sum;
}

const struct scenario scenario_config_snapshot = {.name = "config-snapshot",
                                                  .request_bytes = sizeof(struct request),
                                                  .setup = config_snapshot_setup,
                                                  .prepare = config_snapshot_prepare,
                                                  .execute = config_snapshot_execute,
                                                  .reset = config_snapshot_reset,
                                                  .live_bytes = config_snapshot_live_bytes,
                                                  .finish = config_snapshot_finish,
                                                  SCENARIO_MEMORY};
