/* SPDX-License-Identifier: MIT */
/* refcount_cycle_leak.c - a parent counts its child, and the child its parent.
 *
 * Mechanism: when the last outside reference goes, each is still held by the other, so no count
 * comes to 0. The twin's child does not count its parent.
 */
#include "races/case.h"

struct node {
    int references;
    struct node *child;  /* counted */
    struct node *parent; /* counted in the defect only */
};

static struct node *node_new(void) {
    struct node *node = calloc(1, sizeof *node); /* FAULT a */
    if (node == NULL)
        abort();
    node->references = 1;
    return node;
}

static void node_release(struct node *node) {
    if (node == NULL || --node->references > 0)
        return;
    node_release(node->child);
#if BUG
    node_release(node->parent);
#endif
    free(node);
}

static void adopt(struct node *parent, struct node *child) {
    child->references++;
    parent->child = child;
#if BUG
    parent->references++;
#endif
    child->parent = parent;
}

static void *build(void *unused) {
    struct node *parent = node_new();
    struct node *child = node_new();
    adopt(parent, child);
    node_release(child);
    node_release(parent);
    return unused;
}

int main(void) {
    pthread_t builder;
    pthread_create(&builder, NULL, build, NULL);
    pthread_join(builder, NULL);
    return 0;
}
