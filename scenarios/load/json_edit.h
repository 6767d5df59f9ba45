/* SPDX-License-Identifier: MIT */
/* json_edit.h - changes to a JSON tree (json_tree.h), of the kinds that RFC 6902 and cJSON_Utils
 * know: rename, remove and insert members, sort them by name, filter an array, lengthen strings.
 */
#ifndef TAILRACE_LOAD_JSON_EDIT_H
#define TAILRACE_LOAD_JSON_EDIT_H

#include "load/json_tree.h"

#define JSON_EDIT_STEPS 4    /* down from the root to what is changed, at most */
#define JSON_EDIT_STRINGS 16 /* lengthened at a time, at most */
#define JSON_FILTER_OF 4     /* one element in so many goes */

enum json_edit {
    JSON_RENAME,
    JSON_REMOVE,
    JSON_INSERT,
    JSON_SORT,
    JSON_FILTER,
    JSON_LENGTHEN,
    JSON_EDITS
};

/* What an edit works on: a thread, a scope, where its random numbers come from. */
struct json_editor {
    mem_thread *t;
    mem_scope *s;
    rng random;
};

static inline bool json_is_container(const struct json_node *node) {
    return node->kind >= JSON_ARRAY;
}

/* A container below the root, or the root: steps down a drawn number of times, each time into the
 * first container at or after a drawn child. */
static inline struct json_node *json_pick(struct json_editor *e, struct json_node *root) {
    struct json_node *at = root;
    for (uint64_t steps = rng_below(&e->random, JSON_EDIT_STEPS + 1); steps > 0; steps--) {
        struct json_node *child = mem_get(&at->child);
        uint64_t skip = at->count ? rng_below(&e->random, at->count) : 0;
        for (uint64_t i = 0; child && (i < skip || !json_is_container(child)); i++)
            child = mem_get(&child->next);
        if (!child)
            break;
        at = child;
    }
    return at;
}

/* The edge that leads to child number `place`, and the object that has it. */
static inline mem_ref *json_edge_at(struct json_node *container, uint64_t place, void **owner) {
    mem_ref *edge = &container->child;
    *owner = container;
    for (; place > 0; place--) {
        struct json_node *before = mem_get(edge);
        *owner = before;
        edge = &before->next;
    }
    return edge;
}

/* Takes the child out that the edge leads to, and drops it. */
static inline void json_remove_at(struct json_editor *e, struct json_node *container, void *owner,
                                  mem_ref *edge) {
    struct json_node *victim = mem_take(e->t, owner, edge);
    mem_set(e->t, e->s, owner, edge, &json_node_type, mem_take(e->t, victim, &victim->next));
    mem_drop(e->t, e->s, &json_node_type, victim);
    container->count--;
}

static inline void json_remove(struct json_editor *e, struct json_node *container) {
    void *owner;
    mem_ref *edge = json_edge_at(container, rng_below(&e->random, container->count), &owner);
    json_remove_at(e, container, owner, edge);
}

static inline void json_rename(struct json_editor *e, struct json_node *object) {
    static const char prefix[] = "renamed_";
    char bytes[JSON_TEXT_BYTES_MAX + sizeof prefix];
    void *owner;
    struct json_node *member =
        mem_get(json_edge_at(object, rng_below(&e->random, object->count), &owner));
    const struct json_text *name = mem_get(&member->name);
    size_t length = sizeof prefix - 1 + name->length;
    if (length > JSON_TEXT_BYTES_MAX)
        return;
    memcpy(bytes, prefix, sizeof prefix - 1);
    memcpy(bytes + sizeof prefix - 1, name->bytes, name->length);
    mem_set(e->t, e->s, member, &member->name, &json_text_type,
            json_text_new(e->t, e->s, bytes, length));
}

/* In front of the others; a member gets the name, an element none. */
static inline void json_insert(struct json_editor *e, struct json_node *container, const char *name,
                               int64_t number) {
    struct json_node *item = json_node_new(e->t, e->s, JSON_INTEGER);
    item->number.integer = number;
    if (container->kind == JSON_OBJECT)
        mem_set(e->t, e->s, item, &item->name, &json_text_type,
                json_text_new(e->t, e->s, name, strlen(name)));
    mem_set(e->t, e->s, item, &item->next, &json_node_type,
            mem_take(e->t, container, &container->child));
    mem_set(e->t, e->s, container, &container->child, &json_node_type, item);
    container->count++;
}

/* By bytes, which is by code points. */
static inline bool json_name_after(const struct json_node *a, const struct json_node *b) {
    const struct json_text *x = mem_get(&a->name), *y = mem_get(&b->name);
    uint32_t common = x->length < y->length ? x->length : y->length;
    int order = memcmp(x->bytes, y->bytes, common);
    return order > 0 || (order == 0 && x->length > y->length);
}

/* Merges two sorted lists, given up by the caller; returns one, owned. */
static inline struct json_node *json_merge(struct json_editor *e, struct json_node *a,
                                           struct json_node *b) {
    struct json_node *head = NULL, *last = NULL;
    while (a || b) {
        struct json_node **from = !a || (b && json_name_after(a, b)) ? &b : &a;
        struct json_node *node = *from;
        *from = a && b ? mem_take(e->t, node, &node->next) : NULL; /* the rest goes as a whole */
        if (last)
            mem_set(e->t, e->s, last, &last->next, &json_node_type, node);
        else
            head = node;
        last = node;
    }
    return head;
}

/* Stable. Calls itself as deep as the logarithm of count. */
static inline struct json_node *json_sort_list(struct json_editor *e, struct json_node *list,
                                               uint32_t count) {
    if (count < 2)
        return list;
    struct json_node *at = list;
    for (uint32_t i = 1; i < count / 2; i++)
        at = mem_get(&at->next);
    struct json_node *second = mem_take(e->t, at, &at->next);
    return json_merge(e, json_sort_list(e, list, count / 2),
                      json_sort_list(e, second, count - count / 2));
}

static inline void json_sort(struct json_editor *e, struct json_node *object) {
    struct json_node *list = mem_take(e->t, object, &object->child);
    mem_set(e->t, e->s, object, &object->child, &json_node_type,
            json_sort_list(e, list, object->count));
}

static inline void json_filter(struct json_editor *e, struct json_node *array) {
    void *owner = array;
    mem_ref *edge = &array->child;
    for (struct json_node *at; (at = mem_get(edge));) {
        if (rng_below(&e->random, JSON_FILTER_OF) == 0) {
            json_remove_at(e, array, owner, edge);
        } else {
            owner = at;
            edge = &at->next;
        }
    }
}

/* Lengthens the container's strings, each in its place. */
static inline void json_lengthen(struct json_editor *e, struct json_node *container) {
    static const char more[] = " \xe2\x80\xa6 and, as was said before, so on";
    uint32_t left = JSON_EDIT_STRINGS;
    for (struct json_node *at = mem_get(&container->child); at && left > 0;
         at = mem_get(&at->next)) {
        if (at->kind != JSON_STRING)
            continue;
        left--;
        struct json_text *text = mem_take(e->t, at, &at->text);
        size_t length = text->length + sizeof more - 1;
        if (length <= JSON_TEXT_BYTES_MAX) {
            text = mem_resize(e->t, e->s, &json_text_type, text, text->length, length);
            memcpy(text->bytes + text->length, more, sizeof more - 1);
            text->length = (uint32_t)length;
        }
        mem_set(e->t, e->s, at, &at->text, &json_text_type, text);
    }
}

/* One change, drawn, to a container of the tree, drawn; none where that has nothing to change. */
static inline void json_edit(struct json_editor *e, struct json_node *root) {
    struct json_node *container = json_pick(e, root);
    bool object = container->kind == JSON_OBJECT;
    enum json_edit edit = (enum json_edit)rng_below(&e->random, JSON_EDITS);
    if (edit == JSON_INSERT)
        json_insert(e, container, "inserted_at", (int64_t)rng_u64(&e->random));
    else if (container->count == 0)
        return;
    else if (edit == JSON_REMOVE)
        json_remove(e, container);
    else if (edit == JSON_LENGTHEN)
        json_lengthen(e, container);
    else if (!object)
        json_filter(e, container); /* what has no names */
    else if (edit == JSON_RENAME)
        json_rename(e, container);
    else
        json_sort(e, container);
}

#endif
