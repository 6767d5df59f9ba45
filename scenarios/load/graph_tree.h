/* SPDX-License-Identifier: MIT */
/* graph_tree.h - a document of graph_trees.c: its nodes and observers, and how they are linked,
 * taken out, kept and given up. A document has one scope; all calls are made by its user. */
#ifndef TAILRACE_LOAD_GRAPH_TREE_H
#define TAILRACE_LOAD_GRAPH_TREE_H

#include "memory/scenario.h"

struct node {
    mem_ref parent, previous;  /* borrowed */
    mem_ref observers;         /* borrowed: the newest one */
    uint32_t size, changes;    /* size: nodes from here down */
    uint64_t label, check;     /* immutable; the latter follows from label and document */
    mem_ref first_child, next; /* owned */
};
_Static_assert(sizeof(struct node) == 64, "live: nodes of 64 bytes");
struct observer {
    mem_ref newer, target, other; /* borrowed; other: the next observer of that target */
    uint64_t told;
    mem_ref kept;  /* owned: the target, if this one keeps it */
    mem_ref older; /* owned: in the document's list */
};
struct document {
    uint64_t label;       /* immutable */
    mem_ref oldest;       /* borrowed */
    mem_ref newest, root; /* owned: list of observers, tree */
};

static const mem_type node_type, observer_type;
static const mem_edge node_edges[] = {
    {offsetof(struct node, parent), MEM_BORROWED, &node_type},
    {offsetof(struct node, previous), MEM_BORROWED, &node_type},
    {offsetof(struct node, observers), MEM_BORROWED, &observer_type},
    {offsetof(struct node, first_child), MEM_OWNED, &node_type},
    {offsetof(struct node, next), MEM_OWNED, &node_type}};
static const mem_type node_type = {
    .name = "node", .id = 0, .size = sizeof(struct node), .edge_count = 5, .edges = node_edges};
static const mem_edge observer_edges[] = {
    {offsetof(struct observer, newer), MEM_BORROWED, &observer_type},
    {offsetof(struct observer, target), MEM_BORROWED, &node_type},
    {offsetof(struct observer, other), MEM_BORROWED, &observer_type},
    {offsetof(struct observer, kept), MEM_OWNED, &node_type},
    {offsetof(struct observer, older), MEM_OWNED, &observer_type}};
static const mem_type observer_type = {.name = "observer",
                                       .id = 1,
                                       .size = sizeof(struct observer),
                                       .edge_count = 5,
                                       .edges = observer_edges};
static const mem_edge document_edges[] = {
    {offsetof(struct document, oldest), MEM_BORROWED, &observer_type},
    {offsetof(struct document, newest), MEM_OWNED, &observer_type},
    {offsetof(struct document, root), MEM_OWNED, &node_type}};
static const mem_type document_type = {.name = "document",
                                       .id = 2,
                                       .size = sizeof(struct document),
                                       .edge_count = 3,
                                       .edges = document_edges};

/* Where a document is kept; all of it under the lock. */
struct place {
    pthread_mutex_t lock;
    mem_scope *scope;
    struct document *document; /* owned */
    uint64_t number, born, nodes, observers;
    uint64_t inserted, inserted_labels; /* since the reset, in all documents that were here */
    char apart[64];                     /* two places share no cache line */
};
static struct node *root_of(const struct place *place) {
    return mem_get(&place->document->root);
}
static bool is_detached(const struct place *place, const struct node *node) {
    return !mem_get(&node->parent) && node != root_of(place);
}

static struct node *node_new(mem_thread *t, struct place *place, uint64_t label) {
    struct node *node = mem_new(t, place->scope, &node_type, 0);
    node->size = 1;
    node->changes = 0;
    node->label = label;
    node->check = hash_pair(label, place->number);
    place->nodes++;
    place->born++;
    return node;
}

/* Adds to the sizes from a node up to the root of its tree. */
static void resize_up(struct node *node, uint32_t more) {
    for (; node; node = mem_get(&node->parent))
        node->size += more;
}

/* Consumes the reference to node, which becomes the first child. */
static void attach(mem_thread *t, const struct place *place, struct node *parent,
                   struct node *node) {
    struct node *first = mem_take(t, parent, &parent->first_child);
    if (first)
        mem_link(&first->previous, node);
    mem_set(t, place->scope, node, &node->next, &node_type, first);
    mem_link(&node->parent, parent);
    resize_up(parent, node->size);
    mem_set(t, place->scope, parent, &parent->first_child, &node_type, node);
}

/* Takes a node that has a parent out of the tree, with all below it. Returns it, owned. */
static struct node *detach(mem_thread *t, const struct place *place, struct node *node) {
    struct node *parent = mem_get(&node->parent), *previous = mem_get(&node->previous);
    struct node *owner = previous ? previous : parent;
    mem_ref *edge = previous ? &previous->next : &parent->first_child;
    struct node *taken = mem_take(t, owner, edge), *next = mem_take(t, node, &node->next);
    if (taken != node)
        host_violation("graph-trees: a node is not where its sibling or parent links it");
    if (next)
        mem_link(&next->previous, previous);
    mem_set(t, place->scope, owner, edge, &node_type, next);
    mem_link(&node->previous, NULL);
    mem_link(&node->parent, NULL);
    resize_up(parent, 0 - node->size);
    return taken;
}

/* The next node of the subtree in document order, after all below `node` if that is left out. */
static struct node *following(const struct node *top, struct node *node, bool leave_out) {
    struct node *next = leave_out ? NULL : mem_get(&node->first_child);
    while (!next && node != top) {
        next = mem_get(&node->next);
        node = mem_get(&node->parent);
    }
    return next;
}

static bool has_keeper(const struct node *node) {
    const struct observer *o = mem_get(&node->observers);
    while (o && !mem_get(&o->kept))
        o = mem_get(&o->other);
    return o != NULL;
}

/* Takes it out of the document's and the target's list. Returns it, owned. */
static struct observer *unlink_observer(mem_thread *t, struct place *place,
                                        struct observer *observer) {
    struct observer *newer = mem_get(&observer->newer);
    struct node *target = mem_get(&observer->target);
    mem_ref *other = &target->observers;
    while (mem_get(other) != observer)
        other = &((struct observer *)mem_get(other))->other;
    mem_link(other, mem_get(&observer->other));
    void *owner = newer ? (void *)newer : place->document;
    mem_ref *edge = newer ? &newer->older : &place->document->newest;
    struct observer *taken = mem_take(t, owner, edge);
    struct observer *older = mem_take(t, observer, &observer->older);
    mem_link(older ? &older->newer : &place->document->oldest, newer);
    mem_set(t, place->scope, owner, edge, &observer_type, older);
    place->observers--;
    return taken;
}

/* Before a subtree without a keeper of its top goes: those who look on are unregistered, and what
 * others keep is taken out of it. */
static void abandon(mem_thread *t, struct place *place, struct node *top) {
    for (struct node *node = top, *next; node; node = next) {
        bool kept = has_keeper(node);
        next = following(top, node, kept);
        if (kept) {
            mem_drop(t, place->scope, &node_type, detach(t, place, node));
            continue;
        }
        for (struct observer *o = mem_get(&node->observers); o; o = mem_get(&node->observers)) {
            o->told++;
            mem_drop(t, place->scope, &observer_type, unlink_observer(t, place, o));
        }
        place->nodes--;
    }
}

static void unregister(mem_thread *t, struct place *place, struct observer *observer) {
    struct node *target = mem_get(&observer->target);
    bool kept = mem_get(&observer->kept) != NULL;
    struct observer *taken = unlink_observer(t, place, observer);
    if (kept && is_detached(place, target) && !has_keeper(target))
        abandon(t, place, target);
    mem_drop(t, place->scope, &observer_type, taken);
}

static void observe(mem_thread *t, struct place *place, struct node *target, bool keep) {
    struct document *document = place->document;
    struct observer *observer = mem_new(t, place->scope, &observer_type, 0);
    struct observer *older = mem_take(t, document, &document->newest);
    observer->told = 0;
    mem_link(&observer->target, target);
    mem_link(&observer->other, mem_get(&target->observers));
    mem_link(&target->observers, observer);
    if (keep)
        mem_set(t, place->scope, observer, &observer->kept, &node_type,
                mem_keep(t, &node_type, target));
    mem_link(older ? &older->newer : &document->oldest, observer);
    mem_set(t, place->scope, observer, &observer->older, &observer_type, older);
    mem_set(t, place->scope, document, &document->newest, &observer_type, observer);
    place->observers++;
}

#endif
