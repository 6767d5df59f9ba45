/* SPDX-License-Identifier: MIT */
/* graph_trees.c - documents of parent, child and sibling links with observers, who look on or keep
 * what they observe.
 *
 * After a browser's document object model: first child and next sibling are owned, parent and
 * previous sibling borrowed; an observer of a node is told of each change below it. Half of them
 * only look: when their node goes, they are told and unregistered. The others keep it, as a
 * script's handle does: it leaves the tree but stays, with all below it, until its last keeper is
 * unregistered. Requests: 50 % walk in document order by parent and sibling links, 15 % change a
 * node and tell the observers on the way to the root, 15 % insert a fragment of 1 to 16 nodes, 5 %
 * move a subtree, 5 % remove one, 10 % register an observer in place of the oldest one. Once
 * `nodes` were born in a document it is closed at once and an empty one begins. Where a request
 * goes depends on the order of requests, so that the checksum has the nodes that it makes; that all
 * others are whole, linked and counted is checked.
 *
 * Stresses objects with several holders in a mutable tree, and their release subtree by subtree.
 * Read the median of counts against that of arenas and collectors for what each keep and drop
 * costs, and the p99.9 at several values of nodes for the pause in which a document is closed.
 */
#include "load/graph_tree.h"

#include <stdio.h>

#define FRAGMENT_MAX 16u
#define SUBTREE_MAX 16u /* nodes that are moved or removed */
#define DEPTH_MAX 24u   /* where a fragment or a subtree is put in */
#define SIBLINGS_MAX 8u /* looked at when a path is drawn */
#define HOPS_MAX 96u
#define LIVE_MAX ((uint64_t)1 << 28)

struct state {
    struct place *places; /* state memory too */
    uint64_t seed, place_count;
    SCENARIO_PARAMS params;
};

enum op { OP_WALK, OP_CHANGE, OP_INSERT, OP_MOVE, OP_REMOVE, OP_OBSERVE };
struct request {
    uint64_t place, seed;
    uint32_t op, depth, count; /* count: hops of a walk, nodes of a fragment */
    bool keep;
};

static struct node *draw_child(const struct node *node, rng *random) {
    struct node *child = mem_get(&node->first_child);
    for (uint64_t skip = rng_below(random, SIBLINGS_MAX); child && skip > 0; skip--) {
        struct node *next = mem_get(&child->next);
        child = next ? next : child;
    }
    return child;
}

static struct node *draw_node(const struct place *place, uint32_t depth, rng *random) {
    struct node *node = root_of(place);
    for (struct node *child = node; child && depth > 0; depth--) {
        child = draw_child(node, random);
        node = child ? child : node;
    }
    return node;
}

/* The top of a subtree of SUBTREE_MAX nodes at most, which is not all; else NULL. */
static struct node *draw_subtree(const struct place *place, rng *random) {
    struct node *node = draw_child(root_of(place), random);
    while (node && node->size > SUBTREE_MAX)
        node = draw_child(node, random);
    return node;
}

/* Returns the number of nodes that it came by: `hops`, or all of the subtree. */
static uint64_t walk(const struct place *place, struct node *top, uint64_t hops) {
    uint64_t count = 0;
    for (struct node *node = top; node && count < hops; node = following(top, node, false)) {
        const struct node *child = mem_get(&node->first_child), *next = mem_get(&node->next);
        if (node->check != hash_pair(node->label, place->number) ||
            (child && (mem_get(&child->parent) != node || mem_get(&child->previous))) ||
            (next && mem_get(&next->previous) != node))
            host_violation("graph-trees: a link leads to what it was not set to");
        count++;
    }
    return count;
}

static void change(struct node *node) {
    node->changes++;
    for (; node; node = mem_get(&node->parent))
        for (struct observer *o = mem_get(&node->observers); o; o = mem_get(&o->other)) {
            if (mem_get(&o->target) != node)
                host_violation("graph-trees: an observer is told of what it does not observe");
            o->told++;
        }
}

/* Returns the hash of the new nodes' labels, read back. */
static uint64_t insert(mem_thread *t, struct place *place, const struct request *request,
                       struct node *parent, rng *random) {
    struct node *nodes[FRAGMENT_MAX];
    uint64_t hash = 0;
    for (uint32_t i = 0; i < request->count; i++) {
        nodes[i] = node_new(t, place, hash_pair(request->seed, i));
        if (i > 0)
            attach(t, place, nodes[rng_below(random, i)], nodes[i]);
    }
    attach(t, place, parent, nodes[0]);
    for (uint32_t i = 0; i < request->count; i++) {
        hash = hash_pair(hash, nodes[i]->label);
        place->inserted_labels += nodes[i]->label;
    }
    place->inserted += request->count;
    return hash;
}

static void move(mem_thread *t, struct place *place, struct node *parent, struct node *node) {
    const struct node *at = parent;
    while (at && at != node)
        at = mem_get(&at->parent);
    if (node && !at) /* the new parent is not below it */
        attach(t, place, parent, detach(t, place, node));
}

static void remove_subtree(mem_thread *t, struct place *place, struct node *top) {
    if (!top)
        return;
    struct node *taken = detach(t, place, top);
    if (!has_keeper(top))
        abandon(t, place, top);
    mem_drop(t, place->scope, &node_type, taken);
}

static uint64_t use(mem_thread *t, const struct state *state, struct place *place,
                    const struct request *request) {
    rng random = rng_at(request->seed, 0);
    struct node *node = draw_node(place, request->depth, &random);
    if (request->op == OP_INSERT)
        return insert(t, place, request, node, &random);
    if (request->op == OP_WALK)
        walk(place, node, request->count);
    else if (request->op == OP_CHANGE)
        change(node);
    else if (request->op == OP_MOVE)
        move(t, place, node, draw_subtree(place, &random));
    else if (request->op == OP_REMOVE)
        remove_subtree(t, place, draw_subtree(place, &random));
    else if (state->params.observers > 0) {
        if (place->observers == state->params.observers)
            unregister(t, place, mem_get(&place->document->oldest));
        observe(t, place, node, request->keep);
    }
    return place->document->label;
}

/* A document of a root alone; t becomes and stays the user of its scope. */
static void begin_document(mem_thread *t, const struct state *state, struct place *place) {
    place->scope = mem_scope_begin(t);
    place->document = mem_new(t, place->scope, &document_type, 0);
    place->document->label = hash_pair(state->seed, place->number);
    place->nodes = place->observers = 0;
    mem_set(t, place->scope, place->document, &place->document->root, &node_type,
            node_new(t, place, place->document->label));
    place->born = 0;
}

static void end_document(mem_thread *t, mem_scope *scope, struct document *document) {
    mem_drop(t, scope, &document_type, document);
    mem_scope_end(t, scope);
}

static uint64_t graph_trees_execute(mem_thread *t, void *prepared, uint64_t i, const void *in) {
    struct state *state = prepared;
    const struct request *request = in;
    struct place *place = &state->places[request->place];
    mem_unblock(t);
    scenario_lock(t, &place->lock);
    mem_scope_enter(t, place->scope);
    uint64_t hash = use(t, state, place, request);
    mem_scope *scope = place->scope;
    struct document *full = place->born >= state->params.nodes ? place->document : NULL;
    if (full)
        begin_document(t, state, place);
    mem_scope_leave(t, place->scope);
    pthread_mutex_unlock(&place->lock);
    if (full) /* nobody else finds it now */
        end_document(t, scope, full);
    mem_safepoint(t);
    mem_block(t);
    return hash_pair(i, hash);
}

static void graph_trees_prepare(const void *prepared, uint64_t seed, uint64_t i, void *into) {
    const struct state *state = prepared;
    struct request *request = into;
    rng random = rng_at(seed, i);
    uint64_t dice = rng_below(&random, 20);
    request->op = dice < 10   ? OP_WALK
                  : dice < 13 ? OP_CHANGE
                  : dice < 16 ? OP_INSERT
                  : dice < 17 ? OP_MOVE
                  : dice < 18 ? OP_REMOVE
                              : OP_OBSERVE;
    request->place = rng_below(&random, state->place_count);
    request->depth = (uint32_t)rng_below(&random, DEPTH_MAX);
    request->count =
        1 + (uint32_t)rng_below(&random, request->op == OP_WALK ? HOPS_MAX : FRAGMENT_MAX);
    request->keep = rng_below(&random, 2) == 0;
    request->seed = rng_u64(&random);
}

/* As after a while: documents of all ages, with two thirds of what was born in them. One node a
 * document at a time, so that neighbours in a tree are none in memory. */
static void fill(mem_thread *t, struct state *state) {
    rng random = rng_at(state->seed, 0xf111);
    for (uint64_t count = 1; count < state->params.nodes; count++)
        for (uint64_t p = 0; p < state->place_count; p++) {
            struct place *place = &state->places[p];
            uint64_t born = p * state->params.nodes / state->place_count;
            if (born * 2 / 3 < count)
                continue;
            mem_scope_enter(t, place->scope);
            struct node *parent =
                draw_node(place, (uint32_t)rng_below(&random, DEPTH_MAX), &random);
            attach(t, place, parent, node_new(t, place, rng_u64(&random)));
            place->born = born;
            mem_scope_leave(t, place->scope);
            mem_safepoint(t);
        }
}

static void *graph_trees_setup(mem_thread *t, const struct scenario_setup *in) {
    const SCENARIO_PARAMS *params = in->params;
    if (3 * in->live < params->nodes || in->live > LIVE_MAX) {
        snprintf(in->error, in->error_bytes,
                 "graph-trees: live must be from a third of a document (%llu) to %llu nodes",
                 (unsigned long long)params->nodes / 3 + 1, (unsigned long long)LIVE_MAX);
        return NULL;
    }
    struct state *state = mem_state_new(sizeof *state);
    state->seed = in->seed;
    state->params = *params;
    state->place_count = 3 * in->live / params->nodes;
    state->places = mem_state_new(state->place_count * sizeof *state->places);
    for (uint64_t p = 0; p < state->place_count; p++) {
        struct place *place = &state->places[p];
        pthread_mutex_init(&place->lock, NULL);
        place->number = p;
        begin_document(t, state, place);
        mem_scope_leave(t, place->scope);
    }
    fill(t, state);
    return state;
}

static void graph_trees_reset(mem_thread *t, void *prepared) {
    struct state *state = prepared;
    (void)t;
    for (uint64_t p = 0; p < state->place_count; p++)
        state->places[p].inserted = state->places[p].inserted_labels = 0;
}

static uint64_t graph_trees_live_bytes(const void *prepared) {
    const struct state *state = prepared;
    uint64_t bytes = state->place_count * sizeof(struct document);
    for (uint64_t p = 0; p < state->place_count; p++)
        bytes += state->places[p].nodes * sizeof(struct node) +
                 state->places[p].observers * sizeof(struct observer);
    return bytes;
}

/* Nodes in the tree, and in the subtrees that are out of it and kept: each counted by the keeper
 * that comes first in the top's list. */
static uint64_t count_nodes(const struct place *place) {
    uint64_t count = walk(place, root_of(place), UINT64_MAX);
    const struct observer *o = mem_get(&place->document->newest);
    for (; o; o = mem_get(&o->older)) {
        struct node *target = mem_get(&o->target);
        const struct observer *first = mem_get(&target->observers);
        while (!mem_get(&first->kept) && first != o)
            first = mem_get(&first->other);
        if (mem_get(&o->kept) && first == o && is_detached(place, target))
            count += walk(place, target, UINT64_MAX);
    }
    return count;
}

static uint64_t graph_trees_finish(mem_thread *t, void *prepared) {
    struct state *state = prepared;
    uint64_t sum = 0;
    for (uint64_t p = 0; p < state->place_count; p++) {
        struct place *place = &state->places[p];
        mem_scope_enter(t, place->scope);
        if (count_nodes(place) != place->nodes)
            host_violation("graph-trees: a node is missing in the end");
        sum += hash_pair(p, hash_pair(place->inserted, place->inserted_labels));
        struct document *document = place->document;
        place->document = NULL;
        end_document(t, place->scope, document);
        pthread_mutex_destroy(&place->lock);
    }
    mem_state_free(state->places);
    mem_state_free(state);
    return sum;
}

const struct scenario scenario_graph_trees = {.name = "graph-trees",
                                              .request_bytes = sizeof(struct request),
                                              .setup = graph_trees_setup,
                                              .prepare = graph_trees_prepare,
                                              .execute = graph_trees_execute,
                                              .reset = graph_trees_reset,
                                              .live_bytes = graph_trees_live_bytes,
                                              .finish = graph_trees_finish,
                                              SCENARIO_MEMORY};
