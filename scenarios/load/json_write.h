/* SPDX-License-Identifier: MIT */
/* json_write.h - JSON trees (json_tree.h) as text in a growing buffer, and compared. */
#ifndef TAILRACE_LOAD_JSON_WRITE_H
#define TAILRACE_LOAD_JSON_WRITE_H

#include "load/json_tree.h"

#include <stdio.h>

#define JSON_BUFFER_BYTES_MAX (1u << 20)

struct json_buffer {
    uint32_t length, capacity;
    char bytes[];
};
static const mem_type json_buffer_type = {.name = "buffer",
                                          .id = 2,
                                          .size = sizeof(struct json_buffer),
                                          .trailing_max = JSON_BUFFER_BYTES_MAX};

/* Where text goes. buffer is owned, and moves as it grows. */
struct json_writer {
    mem_thread *t;
    mem_scope *s;
    struct json_buffer *buffer;
};

static inline struct json_buffer *json_buffer_new(mem_thread *t, mem_scope *s, uint32_t capacity) {
    struct json_buffer *buffer = mem_new(t, s, &json_buffer_type, capacity);
    buffer->length = 0;
    buffer->capacity = capacity;
    return buffer;
}

/* Room for `bytes` more: doubles until they fit. */
static inline char *json_room(struct json_writer *w, size_t bytes) {
    struct json_buffer *buffer = w->buffer;
    size_t capacity = buffer->capacity;
    while (capacity - buffer->length < bytes)
        capacity *= 2;
    if (capacity > JSON_BUFFER_BYTES_MAX)
        host_violation("json: a text became longer than the buffer's limit");
    if (capacity > buffer->capacity) {
        buffer = mem_resize(w->t, w->s, &json_buffer_type, buffer, buffer->capacity, capacity);
        buffer->capacity = (uint32_t)capacity;
        w->buffer = buffer;
    }
    return buffer->bytes + buffer->length;
}

static inline void json_put(struct json_writer *w, const char *bytes, size_t length) {
    memcpy(json_room(w, length), bytes, length);
    w->buffer->length += (uint32_t)length;
}

static inline void json_put_word(struct json_writer *w, const char *word) {
    json_put(w, word, strlen(word));
}

/* What a byte is written as: itself, or an escape; returns its length. */
static inline uint32_t json_escaped(char *into, char byte) {
    static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt", hex[] = "0123456789abcdef";
    const char *found = byte ? strchr(from, byte) : NULL;
    if (found) {
        into[0] = '\\';
        into[1] = to[found - from];
        return 2;
    }
    if ((unsigned char)byte >= 0x20) {
        *into = byte;
        return 1;
    }
    memcpy(into, "\\u00", 4);
    into[4] = hex[byte >> 4];
    into[5] = hex[byte & 15];
    return 6;
}

static inline void json_write_text(struct json_writer *w, const struct json_text *text) {
    char *begin = json_room(w, 6 * (size_t)text->length + 2), *at = begin;
    *at++ = '"';
    for (uint32_t i = 0; i < text->length; i++)
        at += json_escaped(at, text->bytes[i]);
    *at++ = '"';
    w->buffer->length += (uint32_t)(at - begin);
}

/* The shorter of two forms that reads back as the same, as cJSON does; never like an integer. */
static inline void json_write_real(struct json_writer *w, double real) {
    char text[40];
    snprintf(text, sizeof text - 2, "%.15g", real);
    double back = strtod(text, NULL);
    if (back > real || back < real)
        snprintf(text, sizeof text - 2, "%.17g", real);
    if (!strpbrk(text, ".e"))
        strcat(text, ".0");
    json_put_word(w, text);
}

static inline void json_write_integer(struct json_writer *w, int64_t integer) {
    char digits[24];
    char *at = digits + sizeof digits;
    uint64_t rest = integer < 0 ? 0 - (uint64_t)integer : (uint64_t)integer;
    do
        *--at = (char)('0' + rest % 10);
    while (rest /= 10);
    if (integer < 0)
        *--at = '-';
    json_put(w, at, (size_t)(digits + sizeof digits - at));
}

/* Without white space, members in their order. Calls itself as deep as the tree. */
static inline void json_write(struct json_writer *w, const struct json_node *node) {
    static const char *const words[] = {"null", "false", "true"};
    if (node->kind <= JSON_TRUE)
        json_put_word(w, words[node->kind]);
    else if (node->kind == JSON_INTEGER)
        json_write_integer(w, node->number.integer);
    else if (node->kind == JSON_REAL)
        json_write_real(w, node->number.real);
    else if (node->kind == JSON_STRING)
        json_write_text(w, mem_get(&node->text));
    if (node->kind < JSON_ARRAY)
        return;
    bool object = node->kind == JSON_OBJECT;
    json_put_word(w, object ? "{" : "[");
    for (const struct json_node *child = mem_get(&node->child); child;) {
        if (object) {
            json_write_text(w, mem_get(&child->name));
            json_put_word(w, ":");
        }
        json_write(w, child);
        child = mem_get(&child->next);
        if (child)
            json_put_word(w, ",");
    }
    json_put_word(w, object ? "}" : "]");
}

static inline bool json_text_equal(const struct json_text *a, const struct json_text *b) {
    return a == b ||
           (a && b && a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0);
}

/* Members in the same order, numbers with the same bits. Calls itself as deep as the trees. */
static inline bool json_equal(const struct json_node *a, const struct json_node *b) {
    if (a->kind != b->kind || a->count != b->count || a->number.integer != b->number.integer ||
        !json_text_equal(mem_get(&a->name), mem_get(&b->name)) ||
        !json_text_equal(mem_get(&a->text), mem_get(&b->text)))
        return false;
    a = mem_get(&a->child);
    b = mem_get(&b->child);
    for (; a && b; a = mem_get(&a->next), b = mem_get(&b->next))
        if (!json_equal(a, b))
            return false;
    return a == b; /* both at their end */
}

/* Bytes of the objects of a tree. */
static inline uint64_t json_bytes(const struct json_node *node) {
    const struct json_text *name = mem_get(&node->name), *text = mem_get(&node->text);
    uint64_t bytes = sizeof *node + (name ? sizeof *name + name->length : 0) +
                     (text ? sizeof *text + text->length : 0);
    for (const struct json_node *child = mem_get(&node->child); child;
         child = mem_get(&child->next))
        bytes += json_bytes(child);
    return bytes;
}

#endif
