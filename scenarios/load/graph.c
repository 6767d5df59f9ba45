/* SPDX-License-Identifier: MIT */
/* graph.c - a mutable graph of cyclic clusters: the structure that ownership by tree cannot
 * express.
 *
 * A cluster is a doubly linked ring with cross links at random, all of them owned, so that plain
 * counts never come to zero and leak it; it has a scope of its own, which an arena frees. Clusters
 * have 4 to about 1000 nodes, as many in each octave of sizes; set-up allocates all nodes in
 * shuffled order, so that the live heap is in no order that a collector or a walk could profit
 * from. Requests: 70 % walk along a ring and look at what is linked across, 20 % relink a cross
 * link, 10 % replace a cluster: its successor is built beside it, put in its place, then it is
 * dropped. What a node is follows from its place in the ring, whichever generation it belongs to;
 * how often a cluster was changed is counted in its root and carried over.
 *
 * Stresses rings of owned references, and the tracing of a heap that lies in no order. Read the
 * resident memory first: counts that leak rings are stamped `leaks` and grow with the requests;
 * then the pauses of collectors and of the search for rings against --live.
 */
#include "memory/scenario.h"

#include <stdio.h>
#include <stdlib.h>

#define SHARDS 64
#define CROSS_LINKS 4
#define CLUSTER_NODES_MIN 4
#define CLUSTER_OCTAVES 8       /* of sizes drawn: 4 to 1023 */
#define CLUSTER_NODES_MAX 1027u /* 3 left over are added to the last one */
#define BATCH_NODES_MAX 1000000 /* that set-up shuffles at a time */
#define STRIDE 1000003u         /* a prime above any cluster's size */
#define LIVE_MAX ((uint64_t)1 << 28)
#define HOPS_MIN 32
#define HOPS_SPREAD 224

struct node {
    uint64_t label;                             /* immutable */
    uint32_t cluster;                           /* immutable */
    uint32_t changes;                           /* of the cluster; in its root */
    mem_ref cross[CROSS_LINKS], previous, next; /* owned */
};
_Static_assert(sizeof(struct node) == 64, "live: nodes of 64 bytes");

static const mem_type node_type;
static const mem_edge node_edges[] = {
    {offsetof(struct node, cross[0]), MEM_OWNED, &node_type},
    {offsetof(struct node, cross[1]), MEM_OWNED, &node_type},
    {offsetof(struct node, cross[2]), MEM_OWNED, &node_type},
    {offsetof(struct node, cross[3]), MEM_OWNED, &node_type},
    {offsetof(struct node, previous), MEM_OWNED, &node_type},
    {offsetof(struct node, next), MEM_OWNED, &node_type},
};
static const mem_type node_type = {
    .name = "node", .id = 0, .size = sizeof(struct node), .edge_count = 6, .edges = node_edges};

/* Of a shard, under its lock. */
struct cluster {
    mem_scope *scope;
    struct node *root; /* owned */
    uint32_t number, size;
};
struct state {
    pthread_mutex_t locks[SHARDS];
    struct cluster *clusters; /* state memory too */
    uint64_t seed, live;
    uint32_t cluster_count;
};

enum op { OP_WALK, OP_RELINK, OP_REPLACE };
struct request {
    uint32_t op, cluster, hops;
    uint32_t from, to, link; /* for OP_RELINK: places in the ring, modulo its size */
    uint64_t seed;           /* for OP_REPLACE: of the cross links */
};

static pthread_mutex_t *lock_of(struct state *state, const struct cluster *cluster) {
    return &state->locks[cluster->number % SHARDS];
}

/* Makes the node of that place in the ring, without its links. */
static struct node *node_new(mem_thread *t, const struct state *state,
                             const struct cluster *cluster, uint32_t place) {
    struct node *node = mem_new(t, cluster->scope, &node_type, 0);
    node->label = hash_pair(state->seed, (uint64_t)cluster->number << 32 | place);
    node->cluster = cluster->number;
    node->changes = 0;
    return node;
}

/* Makes a ring with cross links of nodes of one reference each, and the first one its root. */
static void link_cluster(mem_thread *t, struct cluster *cluster, struct node *const *nodes,
                         uint64_t seed) {
    uint32_t size = cluster->size;
    mem_scope *s = cluster->scope;
    rng random = rng_at(seed, cluster->number);
    cluster->root = nodes[0];
    for (uint32_t i = 0; i + 1 < size; i++) /* from here on, the root holds them */
        mem_set(t, s, nodes[i], &nodes[i]->next, &node_type, nodes[i + 1]);
    mem_set(t, s, nodes[size - 1], &nodes[size - 1]->next, &node_type,
            mem_keep(t, &node_type, nodes[0]));
    for (uint32_t i = 0; i < size; i++) {
        mem_set(t, s, nodes[i], &nodes[i]->previous, &node_type,
                mem_keep(t, &node_type, nodes[(i + size - 1) % size]));
        for (uint32_t k = 0; k < CROSS_LINKS; k++)
            mem_set(t, s, nodes[i], &nodes[i]->cross[k], &node_type,
                    mem_keep(t, &node_type, nodes[rng_below(&random, size)]));
    }
}

/* Walks the ring and hashes what it finds: labels in the order of the ring, and that each link
 * leads to a node of this cluster. */
static uint64_t walk(const struct cluster *cluster, uint32_t hops) {
    uint64_t hash = cluster->size;
    const struct node *node = cluster->root;
    for (uint32_t i = 0; i < hops; i++) {
        const struct node *across = mem_get(&node->cross[i % CROSS_LINKS]);
        const struct node *next = mem_get(&node->next);
        if (across->cluster != cluster->number || mem_get(&next->previous) != node)
            host_violation("graph: a link leads to what it was not set to");
        hash = hash_pair(hash, node->label);
        node = next;
    }
    return hash;
}

static struct node *node_at(const struct cluster *cluster, uint32_t place) {
    struct node *node = cluster->root;
    for (uint32_t i = 0; i < place; i++)
        node = mem_get(&node->next);
    return node;
}

static uint64_t relink(mem_thread *t, struct cluster *cluster, const struct request *request) {
    struct node *from = node_at(cluster, request->from % cluster->size);
    struct node *to = node_at(cluster, request->to % cluster->size);
    mem_set(t, cluster->scope, from, &from->cross[request->link], &node_type,
            mem_keep(t, &node_type, to));
    cluster->root->changes++;
    return hash_pair(from->label, to->label);
}

static uint64_t use(mem_thread *t, struct state *state, struct cluster *cluster,
                    const struct request *request) {
    scenario_lock(t, lock_of(state, cluster));
    mem_scope_enter(t, cluster->scope);
    uint64_t hash =
        request->op == OP_WALK ? walk(cluster, request->hops) : relink(t, cluster, request);
    mem_scope_leave(t, cluster->scope);
    pthread_mutex_unlock(lock_of(state, cluster));
    return hash;
}

/* Allocates in another order than that of the ring. */
static struct cluster build(mem_thread *t, const struct state *state, const struct cluster *like,
                            uint64_t seed) {
    struct cluster cluster = {.number = like->number, .size = like->size};
    struct node *nodes[CLUSTER_NODES_MAX];
    cluster.scope = mem_scope_begin(t);
    for (uint32_t i = 0, place = 0; i < cluster.size; i++, place = (place + STRIDE) % cluster.size)
        nodes[place] = node_new(t, state, &cluster, place);
    link_cluster(t, &cluster, nodes, seed);
    return cluster;
}

static void end_cluster(mem_thread *t, const struct cluster *cluster) {
    mem_drop(t, cluster->scope, &node_type, cluster->root);
    mem_scope_end(t, cluster->scope);
}

/* Number and size of a cluster never change, so they are read without the lock. */
static uint64_t replace(mem_thread *t, struct state *state, struct cluster *cluster,
                        const struct request *request) {
    struct cluster next = build(t, state, cluster, request->seed);
    scenario_lock(t, lock_of(state, cluster));
    mem_scope_enter(t, cluster->scope);
    struct cluster old = *cluster;
    next.root->changes = old.root->changes + 1;
    cluster->scope = next.scope;
    cluster->root = next.root;
    mem_scope_leave(t, next.scope);
    pthread_mutex_unlock(lock_of(state, cluster));
    uint64_t hash = walk(&old, request->hops); /* nobody else finds it now */
    end_cluster(t, &old);
    return hash;
}

static uint64_t graph_execute(mem_thread *t, void *prepared, uint64_t i, const void *in) {
    struct state *state = prepared;
    const struct request *request = in;
    struct cluster *cluster = &state->clusters[request->cluster];
    mem_unblock(t);
    uint64_t hash = request->op == OP_REPLACE ? replace(t, state, cluster, request)
                                              : use(t, state, cluster, request);
    mem_safepoint(t);
    mem_block(t);
    return hash_pair(i, hash);
}

static void graph_prepare(const void *prepared, uint64_t seed, uint64_t i, void *into) {
    const struct state *state = prepared;
    struct request *request = into;
    rng random = rng_at(seed, i);
    uint64_t dice = rng_below(&random, 10);
    request->op = dice < 7 ? OP_WALK : dice < 9 ? OP_RELINK : OP_REPLACE;
    request->cluster = (uint32_t)rng_below(&random, state->cluster_count);
    request->hops = HOPS_MIN + (uint32_t)rng_below(&random, HOPS_SPREAD);
    request->from = (uint32_t)rng_below(&random, HOPS_MIN + HOPS_SPREAD);
    request->to = (uint32_t)rng_below(&random, HOPS_MIN + HOPS_SPREAD);
    request->link = (uint32_t)rng_below(&random, CROSS_LINKS);
    request->seed = rng_u64(&random);
}

/* The size of the next cluster where `rest` nodes are left: never so that fewer than
 * CLUSTER_NODES_MIN are left over. */
static uint32_t draw_size(rng *random, uint64_t rest) {
    uint64_t octave = (uint64_t)CLUSTER_NODES_MIN << rng_below(random, CLUSTER_OCTAVES);
    uint64_t size = octave + rng_below(random, octave);
    return (uint32_t)(rest < size + CLUSTER_NODES_MIN ? rest : size);
}

/* Draws the sizes of all clusters; into clusters, unless that is NULL. Returns their number. */
static uint32_t draw_clusters(const struct state *state, struct cluster *clusters) {
    uint32_t count = 0;
    rng random = rng_at(state->seed, 0x9a4f);
    for (uint64_t rest = state->live; rest > 0; count++) {
        uint32_t size = draw_size(&random, rest);
        if (clusters)
            clusters[count] = (struct cluster){.number = count, .size = size};
        rest -= size;
    }
    return count;
}

/* A node to be allocated: of which cluster, which place in the ring, where in the batch. */
struct birth {
    uint32_t cluster, place, slot;
};
struct batch {
    struct birth *births;
    struct node **nodes; /* state memory, so that a collector finds them before they are linked */
    uint32_t count;
};

/* Lists the nodes of clusters from `first` on, as many as fit; returns the next cluster. */
static uint32_t batch_list(struct batch *batch, const struct state *state, uint32_t first) {
    batch->count = 0;
    for (; first < state->cluster_count; first++) {
        const struct cluster *cluster = &state->clusters[first];
        if (batch->count + cluster->size > BATCH_NODES_MAX)
            return first;
        for (uint32_t place = 0; place < cluster->size; place++, batch->count++)
            batch->births[batch->count] = (struct birth){first, place, batch->count};
    }
    return first;
}

static void batch_shuffle(struct batch *batch, rng *random) {
    for (uint32_t i = batch->count; i > 1; i--) {
        uint64_t k = rng_below(random, i);
        struct birth swapped = batch->births[i - 1];
        batch->births[i - 1] = batch->births[k];
        batch->births[k] = swapped;
    }
}

static void batch_allocate(mem_thread *t, const struct batch *batch, const struct state *state) {
    for (uint32_t i = 0; i < batch->count; i++) {
        const struct birth *birth = &batch->births[i];
        const struct cluster *cluster = &state->clusters[birth->cluster];
        mem_scope_enter(t, cluster->scope);
        batch->nodes[birth->slot] = node_new(t, state, cluster, birth->place);
        mem_scope_leave(t, cluster->scope);
        mem_safepoint(t);
    }
}

static void make_clusters(mem_thread *t, struct state *state) {
    uint64_t most = state->live < BATCH_NODES_MAX ? state->live : BATCH_NODES_MAX;
    rng random = rng_at(state->seed, 0x5bf1);
    struct batch batch = {.births = malloc(most * sizeof *batch.births),
                          .nodes = mem_state_new(most * sizeof *batch.nodes)};
    if (!batch.births)
        host_out_of_memory(most * sizeof *batch.births);
    for (uint32_t first = 0, end; first < state->cluster_count; first = end) {
        end = batch_list(&batch, state, first);
        for (uint32_t c = first; c < end; c++) {
            state->clusters[c].scope = mem_scope_begin(t);
            mem_scope_leave(t, state->clusters[c].scope);
        }
        batch_shuffle(&batch, &random);
        batch_allocate(t, &batch, state);
        struct node **nodes = batch.nodes;
        for (uint32_t c = first; c < end; nodes += state->clusters[c++].size) {
            mem_scope_enter(t, state->clusters[c].scope);
            link_cluster(t, &state->clusters[c], nodes, state->seed);
            mem_scope_leave(t, state->clusters[c].scope);
            mem_safepoint(t);
        }
    }
    mem_state_free(batch.nodes);
    free(batch.births);
}

static void *graph_setup(mem_thread *t, const struct scenario_setup *in) {
    if (in->live < CLUSTER_NODES_MIN || in->live > LIVE_MAX) {
        snprintf(in->error, in->error_bytes, "graph: live must be from %d to %llu nodes",
                 CLUSTER_NODES_MIN, (unsigned long long)LIVE_MAX);
        return NULL;
    }
    struct state *state = mem_state_new(sizeof *state);
    state->seed = in->seed;
    state->live = in->live;
    for (int i = 0; i < SHARDS; i++)
        pthread_mutex_init(&state->locks[i], NULL);
    state->cluster_count = draw_clusters(state, NULL);
    state->clusters = mem_state_new(state->cluster_count * sizeof *state->clusters);
    draw_clusters(state, state->clusters);
    make_clusters(t, state);
    return state;
}

static void graph_reset(mem_thread *t, void *prepared) {
    struct state *state = prepared;
    for (uint32_t c = 0; c < state->cluster_count; c++) {
        mem_scope_enter(t, state->clusters[c].scope);
        state->clusters[c].root->changes = 0;
        mem_scope_leave(t, state->clusters[c].scope);
        mem_safepoint(t);
    }
}

/* What plain counts have leaked is not counted: nothing leads to it. */
static uint64_t graph_live_bytes(const void *prepared) {
    const struct state *state = prepared;
    return state->live * sizeof(struct node);
}

static uint64_t graph_finish(mem_thread *t, void *prepared) {
    struct state *state = prepared;
    uint64_t sum = 0;
    for (uint32_t c = 0; c < state->cluster_count; c++) {
        struct cluster *cluster = &state->clusters[c];
        mem_scope_enter(t, cluster->scope);
        sum += hash_pair(c, hash_pair(cluster->root->changes, walk(cluster, cluster->size)));
        end_cluster(t, cluster);
        cluster->root = NULL;
    }
    for (int i = 0; i < SHARDS; i++)
        pthread_mutex_destroy(&state->locks[i]);
    mem_state_free(state->clusters);
    mem_state_free(state);
    return sum;
}

const struct scenario scenario_graph = {.name = "graph",
                                        .request_bytes = sizeof(struct request),
                                        .setup = graph_setup,
                                        .prepare = graph_prepare,
                                        .execute = graph_execute,
                                        .reset = graph_reset,
                                        .live_bytes = graph_live_bytes,
                                        .finish = graph_finish,
                                        SCENARIO_MEMORY};
