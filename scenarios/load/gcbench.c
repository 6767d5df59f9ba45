/* SPDX-License-Identifier: MIT */
/* gcbench.c - short-lived binary trees beside a long-lived tree and a long-lived array.
 *
 * After GCBench (Ellis, Kovac; in C and Java: Boehm). A request draws a depth, builds a tree of it
 * from the root down, checks and drops it, then one from the leaves up. Depths are 4, 6, ... with
 * probabilities as the original's numbers of iterations, so that all depths allocate the same
 * total. The long-lived tree (depth 16) and array (500,000 numbers) of the original are there and
 * checked at the end; with another `live` the array keeps its share. Scaled: trees end at depth 12
 * instead of 16, whose 131,071 nodes would make a request of many milliseconds. Left out: the tree
 * that stretches the heap beforehand, because peak memory is measured.
 *
 * Stresses allocation and reclamation of small linked objects that die together, from the root (an
 * arena's best case, a cascade to a reference count) while a collector has the long-lived ones to
 * trace. Read p50 as the price of a tree of 31 nodes and the maximum as that of the deepest, 264
 * times it; a collector's pauses come on top and grow with `live`, not with the trees.
 */
#include "memory/scenario.h"

#include <stdio.h>

#define DEPTH_MIN 4
#define DEPTH_MAX 16
#define DEPTH_STEP 2
#define STRETCH 2 /* levels that the original's greatest tree has beyond the deepest */
#define DEPTHS ((DEPTH_MAX - DEPTH_MIN) / DEPTH_STEP + 1)
#define ARRAY_COUNT 500000u /* beside a tree of TREE_NODES */
#define TREE_NODES 131071u
#define LIVE_MAX ((uint64_t)1 << 25)
#define SAFEPOINT_NODES 1000u /* of a subtree, about, from one safepoint to the next */

struct node {
    mem_ref left, right; /* owned */
    uint32_t i, j;
};
_Static_assert(sizeof(struct node) == 24, "the original's two references and two ints");
struct array {
    uint64_t count;
    double values[];
};
static const mem_type node_type;
static const mem_edge node_edges[] = {{offsetof(struct node, left), MEM_OWNED, &node_type},
                                      {offsetof(struct node, right), MEM_OWNED, &node_type}};
static const mem_type node_type = {
    .name = "node", .id = 0, .size = sizeof(struct node), .edge_count = 2, .edges = node_edges};
static const mem_type array_type = {
    .name = "array",
    .id = 1,
    .size = sizeof(struct array),
    .trailing_max = (uint32_t)(LIVE_MAX * ARRAY_COUNT / TREE_NODES * sizeof(double))};

struct state {
    mem_scope *scope; /* of what is long-lived */
    struct node *tree;
    struct array *array;
    uint64_t live;
    uint32_t key;
    uint64_t total; /* of weights */
    uint64_t weights[DEPTHS];
};
struct request {
    uint32_t nodes, key;
};

/* What is built: nodes are numbered as in a binary heap, the root is 1. */
struct builder {
    mem_thread *t;
    mem_scope *s;
    uint32_t key; /* of the tree */
};

static uint32_t tree_nodes(uint32_t depth) {
    return (2u << depth) - 1;
}
static uint32_t right_nodes(uint32_t nodes) {
    return (nodes - 1) / 2;
}
static uint32_t left_nodes(uint32_t nodes) {
    return nodes - 1 - right_nodes(nodes);
}

static struct node *node_new(const struct builder *b, uint32_t number) {
    struct node *node = mem_new(b->t, b->s, &node_type, 0);
    node->i = number;
    node->j = number * 2654435761u ^ b->key;
    return node;
}

static void step(const struct builder *b, uint32_t nodes) {
    if (nodes > SAFEPOINT_NODES && left_nodes(nodes) <= SAFEPOINT_NODES)
        mem_safepoint(b->t);
}

/* Builds what belongs below a node, assigning to older objects. */
static void populate(const struct builder *b, struct node *node, uint32_t number, uint32_t nodes) {
    uint32_t left = left_nodes(nodes), right = right_nodes(nodes);
    if (left > 0)
        mem_set(b->t, b->s, node, &node->left, &node_type, node_new(b, 2 * number));
    if (right > 0)
        mem_set(b->t, b->s, node, &node->right, &node_type, node_new(b, 2 * number + 1));
    step(b, nodes);
    if (left > 0)
        populate(b, mem_get(&node->left), 2 * number, left);
    if (right > 0)
        populate(b, mem_get(&node->right), 2 * number + 1, right);
}

static struct node *tree_down(const struct builder *b, uint32_t nodes) {
    struct node *root = node_new(b, 1);
    populate(b, root, 1, nodes);
    return root;
}

static struct node *tree_up(const struct builder *b, uint32_t number, uint32_t nodes) {
    uint32_t left = left_nodes(nodes), right = right_nodes(nodes);
    struct node *lower = left > 0 ? tree_up(b, 2 * number, left) : NULL;
    struct node *upper = right > 0 ? tree_up(b, 2 * number + 1, right) : NULL;
    struct node *node = node_new(b, number);
    if (lower)
        mem_set(b->t, b->s, node, &node->left, &node_type, lower);
    if (upper)
        mem_set(b->t, b->s, node, &node->right, &node_type, upper);
    step(b, nodes);
    return node;
}

/* Reads back every node; returns the sum of their labels. */
static uint64_t tree_sum(const struct node *node, uint32_t key, uint32_t number, uint32_t nodes) {
    const struct node *left = mem_get(&node->left), *right = mem_get(&node->right);
    if (node->i != number || node->j != (number * 2654435761u ^ key) ||
        !left != (left_nodes(nodes) == 0) || !right != (right_nodes(nodes) == 0))
        host_violation("gcbench: a tree has another node than was built there");
    uint64_t sum = node->j;
    if (left)
        sum += tree_sum(left, key, 2 * number, left_nodes(nodes));
    if (right)
        sum += tree_sum(right, key, 2 * number + 1, right_nodes(nodes));
    return sum;
}

static uint64_t tree_end(const struct builder *b, struct node *root, uint32_t nodes) {
    uint64_t sum = tree_sum(root, b->key, 1, nodes);
    mem_drop(b->t, b->s, &node_type, root);
    return sum;
}

static uint64_t gcbench_execute(mem_thread *t, void *prepared, uint64_t i, const void *in) {
    const struct request *request = in;
    (void)prepared;
    mem_unblock(t);
    struct builder b = {.t = t, .s = mem_scope_begin(t), .key = request->key};
    uint64_t sum = tree_end(&b, tree_down(&b, request->nodes), request->nodes);
    sum += hash_u64(tree_end(&b, tree_up(&b, 1, request->nodes), request->nodes));
    mem_scope_end(t, b.s);
    mem_block(t);
    return hash_pair(i, sum);
}

static void gcbench_prepare(const void *prepared, uint64_t seed, uint64_t i, void *into) {
    const struct state *state = prepared;
    struct request *request = into;
    rng random = rng_at(seed, i);
    uint64_t dice = rng_below(&random, state->total);
    uint32_t k = 0;
    while (dice >= state->weights[k])
        dice -= state->weights[k++];
    request->nodes = tree_nodes(DEPTH_MIN + k * DEPTH_STEP);
    request->key = (uint32_t)rng_u64(&random);
}

/* The number of trees of each depth, as the original computes it. */
static void weigh_depths(struct state *state, uint32_t deepest) {
    for (uint32_t depth = DEPTH_MIN, k = 0; depth <= deepest; depth += DEPTH_STEP, k++) {
        state->weights[k] = 2 * tree_nodes(deepest + STRETCH) / tree_nodes(depth);
        state->total += state->weights[k];
    }
}

static void *gcbench_setup(mem_thread *t, const struct scenario_setup *in) {
    const SCENARIO_PARAMS *params = in->params;
    if (in->live > LIVE_MAX) {
        snprintf(in->error, in->error_bytes, "gcbench: live must be at most %llu nodes",
                 (unsigned long long)LIVE_MAX);
        return NULL;
    }
    struct state *state = mem_state_new(sizeof *state);
    uint64_t count = in->live * ARRAY_COUNT / TREE_NODES;
    state->live = in->live;
    state->key = (uint32_t)hash_u64(in->seed);
    weigh_depths(state, (uint32_t)params->depth);
    struct builder b = {.t = t, .s = mem_scope_begin(t), .key = state->key};
    state->scope = b.s;
    state->tree = tree_down(&b, (uint32_t)in->live);
    state->array = mem_new(t, b.s, &array_type, count * sizeof(double));
    state->array->count = count;
    for (uint64_t i = 0; i < count; i++)
        state->array->values[i] = 1.0 / (double)(i + 1);
    mem_scope_leave(t, state->scope);
    return state;
}

static void gcbench_reset(mem_thread *t, void *prepared) {
    (void)t, (void)prepared;
}

static uint64_t gcbench_live_bytes(const void *prepared) {
    const struct state *state = prepared;
    return state->live * sizeof(struct node) + sizeof(struct array) +
           state->live * ARRAY_COUNT / TREE_NODES * sizeof(double);
}

static uint64_t gcbench_finish(mem_thread *t, void *prepared) {
    struct state *state = prepared;
    mem_scope_enter(t, state->scope);
    struct builder b = {.t = t, .s = state->scope, .key = state->key};
    uint64_t sum = tree_end(&b, state->tree, (uint32_t)state->live);
    for (uint64_t i = 0; i < state->array->count; i++)
        if (state->array->values[i] != 1.0 / (double)(i + 1))
            host_violation("gcbench: the array has another number than was written to it");
    sum = hash_pair(sum, state->array->count);
    mem_drop(t, state->scope, &array_type, state->array);
    state->tree = NULL;
    state->array = NULL;
    mem_scope_end(t, state->scope);
    mem_state_free(state);
    return sum;
}

const struct scenario scenario_gcbench = {.name = "gcbench",
                                          .request_bytes = sizeof(struct request),
                                          .setup = gcbench_setup,
                                          .prepare = gcbench_prepare,
                                          .execute = gcbench_execute,
                                          .reset = gcbench_reset,
                                          .live_bytes = gcbench_live_bytes,
                                          .finish = gcbench_finish,
                                          SCENARIO_MEMORY};
