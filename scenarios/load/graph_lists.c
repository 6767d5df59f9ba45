/* SPDX-License-Identifier: MIT */
/* graph_lists.c - doubly linked lists, the smallest structure that points to itself, and the
 * release of long chains.
 *
 * Next links are owned and previous links borrowed, so that there is no ring to collect. After the
 * kernel's two lists of pages, a box has an active and an inactive list of items in one scope.
 * Requests: 50 % walk both ways and check what they meet, 30 % insert a run of 1 to 16 new items,
 * 10 % remove a run, 10 % splice one from a list into the other. Once `chain` items were born in a
 * box, the request that made the last one lets go of the whole box at once and begins an empty one:
 * a session that ends, a document that is closed. Boxes are of all ages, with a third of a chain on
 * average. Which items a request meets depends on the order of requests, so that
 * the checksum has those that it makes; that the others are whole is checked.
 *
 * Stresses the release of a long chain at once and the relinking of small objects in shared
 * structures. Read the p99.9 at several values of chain: what follows the chain (counts, malloc)
 * grows in proportion to it, an arena gives the chunks back in one step, and a collector pays
 * later and elsewhere.
 */
#include "memory/scenario.h"

#include <stdio.h>

#define LISTS 2 /* of a box */
#define CONTENT_WORDS 4
#define RUN_MAX 16u
#define HOPS_MAX 128u
#define FROM_MAX 32u /* hops to where a run begins */
#define LIVE_MAX ((uint64_t)1 << 28)

struct item {
    mem_ref previous;                /* borrowed */
    uint64_t label;                  /* immutable */
    uint64_t content[CONTENT_WORDS]; /* immutable, follows from the label */
    uint64_t box;                    /* immutable: its number */
    mem_ref next;                    /* owned */
};
_Static_assert(sizeof(struct item) == 64, "live: items of 64 bytes");
struct box {
    mem_ref tails[LISTS]; /* borrowed */
    uint64_t label;       /* immutable */
    mem_ref heads[LISTS]; /* owned */
};

static const mem_type item_type;
static const mem_edge item_edges[] = {{offsetof(struct item, previous), MEM_BORROWED, &item_type},
                                      {offsetof(struct item, next), MEM_OWNED, &item_type}};
static const mem_type item_type = {
    .name = "item", .id = 0, .size = sizeof(struct item), .edge_count = 2, .edges = item_edges};
static const mem_edge box_edges[] = {{offsetof(struct box, tails[0]), MEM_BORROWED, &item_type},
                                     {offsetof(struct box, tails[1]), MEM_BORROWED, &item_type},
                                     {offsetof(struct box, heads[0]), MEM_OWNED, &item_type},
                                     {offsetof(struct box, heads[1]), MEM_OWNED, &item_type}};
static const mem_type box_type = {
    .name = "box", .id = 1, .size = sizeof(struct box), .edge_count = 4, .edges = box_edges};

/* Where a box is kept; all of it under the lock. */
struct place {
    pthread_mutex_t lock;
    mem_scope *scope;
    struct box *box; /* owned */
    uint64_t number, born, counts[LISTS];
    uint64_t sum;                       /* of the labels in the lists */
    uint64_t inserted, inserted_labels; /* since the reset, in all boxes that were here */
    char apart[64];                     /* two places share no cache line */
};
struct state {
    struct place *places; /* state memory too */
    uint64_t seed, chain, place_count;
};

enum op { OP_WALK, OP_INSERT, OP_REMOVE, OP_SPLICE };
struct request {
    uint64_t place, seed;
    uint32_t op, list, hops, from, run;
};
/* Linked items in no list; the first is owned. */
struct run {
    struct item *first, *last;
    uint32_t count;
    uint64_t sum;
};

static uint64_t content_word(uint64_t label, uint32_t word) {
    return hash_pair(label, word);
}

static void check_item(const struct place *place, const struct item *item, uint32_t word) {
    if (item->box != place->number || item->content[word] != content_word(item->label, word))
        host_violation("graph-lists: an item is not what was put into its list");
}

/* Puts a new item in front of the run. */
static void run_push(mem_thread *t, const struct place *place, struct run *run, uint64_t label) {
    struct item *item = mem_new(t, place->scope, &item_type, 0);
    item->label = label;
    item->box = place->number;
    for (uint32_t word = 0; word < CONTENT_WORDS; word++)
        item->content[word] = content_word(label, word);
    if (run->first)
        mem_link(&run->first->previous, item);
    else
        run->last = item;
    mem_set(t, place->scope, item, &item->next, &item_type, run->first);
    run->first = item;
    run->count++;
    run->sum += label;
}

/* The owned edge of a list that follows `previous`, or is its head; and who has it. */
static mem_ref *edge_after(struct box *box, uint32_t list, struct item *previous, void **owner) {
    *owner = previous ? (void *)previous : box;
    return previous ? &previous->next : &box->heads[list];
}

/* Up to `from` hops from the head; NULL where the list is empty or from is 0. */
static struct item *item_before(const struct place *place, uint32_t list, uint64_t from) {
    struct item *before = NULL;
    for (uint64_t i = 0; i < from && i < place->counts[list]; i++)
        before = mem_get(before ? &before->next : &place->box->heads[list]);
    return before;
}

/* Links the run into the list, behind `from` items. */
static void put_in(mem_thread *t, struct place *place, uint32_t list, uint32_t from,
                   const struct run *run) {
    void *owner;
    if (!run->first)
        return;
    struct item *before = item_before(place, list, from);
    mem_ref *edge = edge_after(place->box, list, before, &owner);
    struct item *rest = mem_take(t, owner, edge);
    mem_link(rest ? &rest->previous : &place->box->tails[list], run->last);
    mem_set(t, place->scope, run->last, &run->last->next, &item_type, rest);
    mem_link(&run->first->previous, before);
    mem_set(t, place->scope, owner, edge, &item_type, run->first);
    place->counts[list] += run->count;
    place->sum += run->sum;
}

/* Unlinks up to `most` items behind `from` others; none where the list is empty. */
static struct run take_out(mem_thread *t, struct place *place, uint32_t list, uint64_t from,
                           uint32_t most) {
    struct run run = {0};
    void *owner;
    if (place->counts[list] == 0)
        return run;
    struct item *before = item_before(place, list, from % place->counts[list]);
    mem_ref *edge = edge_after(place->box, list, before, &owner);
    run.first = mem_take(t, owner, edge);
    for (struct item *at = run.first; at && run.count < most; at = mem_get(&at->next)) {
        check_item(place, at, run.count % CONTENT_WORDS);
        run.last = at;
        run.count++;
        run.sum += at->label;
    }
    struct item *rest = mem_take(t, run.last, &run.last->next);
    mem_link(rest ? &rest->previous : &place->box->tails[list], before);
    mem_set(t, place->scope, owner, edge, &item_type, rest);
    mem_link(&run.first->previous, NULL);
    place->counts[list] -= run.count;
    place->sum -= run.sum;
    return run;
}

/* Forwards from the head and as far back from the tail. Returns the sum of the labels ahead. */
static uint64_t walk(const struct place *place, uint32_t list, uint64_t hops) {
    const struct item *ahead = mem_get(&place->box->heads[list]);
    const struct item *back = mem_get(&place->box->tails[list]);
    uint64_t sum = 0;
    for (uint64_t i = 0; i < hops && i < place->counts[list]; i++) {
        const struct item *next = mem_get(&ahead->next), *previous = mem_get(&back->previous);
        check_item(place, ahead, i % CONTENT_WORDS);
        check_item(place, back, i % CONTENT_WORDS);
        if ((next && mem_get(&next->previous) != ahead) ||
            (previous && mem_get(&previous->next) != back))
            host_violation("graph-lists: neighbours do not link each other");
        sum += ahead->label;
        ahead = next;
        back = previous;
    }
    return sum;
}

/* An empty box; t becomes and stays the user of its scope. */
static void begin_box(mem_thread *t, const struct state *state, struct place *place) {
    place->scope = mem_scope_begin(t);
    place->box = mem_new(t, place->scope, &box_type, 0);
    place->box->label = hash_pair(state->seed, place->number);
    place->born = place->counts[0] = place->counts[1] = place->sum = 0;
}

static void end_box(mem_thread *t, mem_scope *scope, struct box *box) {
    mem_drop(t, scope, &box_type, box);
    mem_scope_end(t, scope);
}

/* Returns the hash of the new items, read back from the list. */
static uint64_t insert(mem_thread *t, struct place *place, const struct request *request) {
    struct run run = {0};
    uint64_t hash = 0;
    for (uint32_t i = 0; i < request->run; i++)
        run_push(t, place, &run, hash_pair(request->seed, i));
    put_in(t, place, request->list, request->from, &run);
    place->born += run.count;
    place->inserted += run.count;
    place->inserted_labels += run.sum;
    const struct item *at = run.first;
    for (uint32_t i = 0; i < run.count; i++, at = mem_get(&at->next))
        hash = hash_bytes(hash ^ at->label, at->content, sizeof at->content);
    return hash;
}

static uint64_t use(mem_thread *t, struct place *place, const struct request *request) {
    if (request->op == OP_INSERT)
        return insert(t, place, request);
    if (request->op == OP_WALK) {
        walk(place, request->list, request->hops);
    } else {
        struct run run = take_out(t, place, request->list, request->from, request->run);
        if (request->op == OP_SPLICE)
            put_in(t, place, 1 - request->list, request->hops % FROM_MAX, &run);
        else
            mem_drop(t, place->scope, &item_type, run.first);
    }
    return place->box->label;
}

static uint64_t graph_lists_execute(mem_thread *t, void *prepared, uint64_t i, const void *in) {
    struct state *state = prepared;
    const struct request *request = in;
    struct place *place = &state->places[request->place];
    mem_unblock(t);
    scenario_lock(t, &place->lock);
    mem_scope_enter(t, place->scope);
    uint64_t hash = use(t, place, request);
    mem_scope *scope = place->scope;
    struct box *full = place->born >= state->chain ? place->box : NULL;
    if (full)
        begin_box(t, state, place);
    mem_scope_leave(t, place->scope);
    pthread_mutex_unlock(&place->lock);
    if (full) /* nobody else finds it now */
        end_box(t, scope, full);
    mem_safepoint(t);
    mem_block(t);
    return hash_pair(i, hash);
}

static void graph_lists_prepare(const void *prepared, uint64_t seed, uint64_t i, void *into) {
    const struct state *state = prepared;
    struct request *request = into;
    rng random = rng_at(seed, i);
    uint64_t dice = rng_below(&random, 10);
    request->op = dice < 5 ? OP_WALK : dice < 8 ? OP_INSERT : dice < 9 ? OP_REMOVE : OP_SPLICE;
    request->place = rng_below(&random, state->place_count);
    request->list = (uint32_t)rng_below(&random, LISTS);
    request->hops = 1 + (uint32_t)rng_below(&random, HOPS_MAX);
    request->from = (uint32_t)rng_below(&random, FROM_MAX);
    request->run = 1 + (uint32_t)rng_below(&random, RUN_MAX);
    request->seed = rng_u64(&random);
}

/* As after a while: boxes of all ages, with two thirds of what was born in them. One item a box at
 * a time, so that neighbours in a list are none in memory. */
static void fill(mem_thread *t, struct state *state) {
    rng random = rng_at(state->seed, 0xf111);
    for (uint64_t count = 1; count < state->chain; count++)
        for (uint64_t p = 0; p < state->place_count; p++) {
            struct place *place = &state->places[p];
            struct run run = {0};
            place->born = p * state->chain / state->place_count;
            if (place->born * 2 / 3 < count)
                continue;
            mem_scope_enter(t, place->scope);
            run_push(t, place, &run, rng_u64(&random));
            put_in(t, place, (uint32_t)rng_below(&random, LISTS),
                   (uint32_t)rng_below(&random, FROM_MAX), &run);
            mem_scope_leave(t, place->scope);
            mem_safepoint(t);
        }
}

static void *graph_lists_setup(mem_thread *t, const struct scenario_setup *in) {
    const SCENARIO_PARAMS *params = in->params;
    if (3 * in->live < params->chain || in->live > LIVE_MAX) {
        snprintf(in->error, in->error_bytes,
                 "graph-lists: live must be from a third of a chain (%llu) to %llu items",
                 (unsigned long long)params->chain / 3 + 1, (unsigned long long)LIVE_MAX);
        return NULL;
    }
    struct state *state = mem_state_new(sizeof *state);
    state->seed = in->seed;
    state->chain = params->chain;
    state->place_count = 3 * in->live / params->chain;
    state->places = mem_state_new(state->place_count * sizeof *state->places);
    for (uint64_t p = 0; p < state->place_count; p++) {
        struct place *place = &state->places[p];
        pthread_mutex_init(&place->lock, NULL);
        place->number = p;
        begin_box(t, state, place);
        mem_scope_leave(t, place->scope);
    }
    fill(t, state);
    return state;
}

static void graph_lists_reset(mem_thread *t, void *prepared) {
    struct state *state = prepared;
    (void)t;
    for (uint64_t p = 0; p < state->place_count; p++)
        state->places[p].inserted = state->places[p].inserted_labels = 0;
}

static uint64_t graph_lists_live_bytes(const void *prepared) {
    const struct state *state = prepared;
    uint64_t bytes = state->place_count * sizeof(struct box);
    for (uint64_t p = 0; p < state->place_count; p++)
        bytes += (state->places[p].counts[0] + state->places[p].counts[1]) * sizeof(struct item);
    return bytes;
}

static uint64_t graph_lists_finish(mem_thread *t, void *prepared) {
    struct state *state = prepared;
    uint64_t sum = 0;
    for (uint64_t p = 0; p < state->place_count; p++) {
        struct place *place = &state->places[p];
        mem_scope_enter(t, place->scope);
        if (walk(place, 0, UINT64_MAX) + walk(place, 1, UINT64_MAX) != place->sum)
            host_violation("graph-lists: an item is missing in the end");
        sum += hash_pair(p, hash_pair(place->inserted, place->inserted_labels));
        struct box *box = place->box;
        place->box = NULL;
        end_box(t, place->scope, box);
        pthread_mutex_destroy(&place->lock);
    }
    mem_state_free(state->places);
    mem_state_free(state);
    return sum;
}

const struct scenario scenario_graph_lists = {.name = "graph-lists",
                                              .request_bytes = sizeof(struct request),
                                              .setup = graph_lists_setup,
                                              .prepare = graph_lists_prepare,
                                              .execute = graph_lists_execute,
                                              .reset = graph_lists_reset,
                                              .live_bytes = graph_lists_live_bytes,
                                              .finish = graph_lists_finish,
                                              SCENARIO_MEMORY};
