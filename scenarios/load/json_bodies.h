/* SPDX-License-Identifier: MIT */
/* json_bodies.h - the bodies that json-api is sent: scenarios/data/json, sound or with a fault. */
#ifndef TAILRACE_LOAD_JSON_BODIES_H
#define TAILRACE_LOAD_JSON_BODIES_H

#include "load/json_write.h"

#include <stdio.h>

#define BODIES 10
#define SMALL_BODIES 8 /* which come first */
#define BODY_BYTES_MAX ((size_t)256 << 10)

enum size_class { SMALL, MEDIUM, LARGE, SIZE_CLASSES };
/* In the order of their classes. */
static const struct {
    const char *file;
    enum size_class class;
} body_files[BODIES] = {{"token.json", SMALL},   {"error.json", SMALL}, {"user.json", SMALL},
                        {"message.json", SMALL}, {"order.json", SMALL}, {"metrics.json", SMALL},
                        {"event.json", SMALL},   {"route.json", SMALL}, {"config.json", MEDIUM},
                        {"records.json", LARGE}};
/* Plain memory: one block for all files. */
struct body {
    const char *bytes;
    uint32_t length, nodes;
};
/* What may be wrong with a body. */
enum fault { SOUND, CUT, GARBLED, NO_UTF8, CONTINUED, FAULTS };

/* Whether a text is read back as the tree that it was written from. */
static bool json_reads_back(mem_thread *t, mem_scope *s, const struct json_buffer *text,
                            const struct json_node *root) {
    uint32_t nodes;
    size_t at;
    struct json_node *again = json_parse(t, s, text->bytes, text->length, &nodes, &at);
    bool same = again && json_equal(root, again);
    mem_drop(t, s, &json_node_type, again);
    return same;
}

/* A body's bytes as they arrive in scope s, faulty ones such that none of them is JSON: a
 * document's proper prefix, a control character or 0xff anywhere in it, a bracket behind it. */
static struct json_buffer *body_receive(mem_thread *t, mem_scope *s, const struct body *body,
                                        enum fault fault, uint64_t seed) {
    struct json_writer w = {t, s, json_buffer_new(t, s, body->length + 1)};
    uint64_t place = seed % body->length;
    json_put(&w, body->bytes, body->length);
    if (fault == CUT)
        w.buffer->length = (uint32_t)place;
    else if (fault == GARBLED)
        w.buffer->bytes[place] = '\x01';
    else if (fault == NO_UTF8)
        w.buffer->bytes[place] = '\xff';
    else if (fault == CONTINUED)
        json_put(&w, "]", 1);
    return w.buffer;
}

/* Reads a file behind what the block holds; returns its length without the white space at its end,
 * 0 where it cannot be read. */
static size_t body_read(const char *folder, const char *name, char *into) {
    char path[4096];
    snprintf(path, sizeof path, "%s/json/%s", folder, name);
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    size_t length = fread(into, 1, BODY_BYTES_MAX, file);
    fclose(file);
    while (length > 0 && strchr(" \t\r\n", into[length - 1]))
        length--;
    return length;
}

/* Counts the body's nodes, once it has been read back from its own text; false where it is no
 * array or object, to which the faults would not be fatal. */
static bool body_examine(mem_thread *t, struct body *body) {
    mem_scope *s = mem_scope_begin(t);
    size_t at;
    struct json_node *root = json_parse(t, s, body->bytes, body->length, &body->nodes, &at);
    bool good = root && root->kind >= JSON_ARRAY;
    if (good) {
        struct json_writer w = {t, s, json_buffer_new(t, s, body->length)};
        json_write(&w, root);
        good = json_reads_back(t, s, w.buffer, root);
        mem_drop(t, s, &json_buffer_type, w.buffer);
    }
    mem_drop(t, s, &json_node_type, root);
    mem_scope_end(t, s);
    return good;
}

/* Reads all files into bodies; returns the block that holds them, for free, or NULL with a sentence
 * in in->error. */
static char *bodies_load(mem_thread *t, struct body *bodies, const struct scenario_setup *in) {
    char *text = malloc(BODIES * BODY_BYTES_MAX), *at = text;
    if (!text)
        host_out_of_memory(BODIES * BODY_BYTES_MAX);
    for (uint32_t i = 0; i < BODIES; at += bodies[i++].length) {
        bodies[i] = (struct body){.bytes = at};
        bodies[i].length = (uint32_t)body_read(in->data_dir, body_files[i].file, at);
        if (bodies[i].length == 0 || !body_examine(t, &bodies[i])) {
            snprintf(in->error, in->error_bytes,
                     "json-api: %s/json/%s cannot be read or is no JSON array or object",
                     in->data_dir, body_files[i].file);
            free(text);
            return NULL;
        }
    }
    return text;
}

#endif
