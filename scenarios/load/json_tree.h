/* SPDX-License-Identifier: MIT */
/* json_tree.h - JSON (RFC 8259) as a tree of objects: a strict parser.
 *
 * Included after scenario.h. A value is a node, the members of an object and the elements of an
 * array are a list of nodes, names and strings are objects of their own: cJSON's layout. All of a
 * tree live in one scope. Stricter than the grammar where the RFC leaves it open: text is
 * well-formed UTF-8, surrogates come in pairs, nothing precedes or follows the value but white
 * space, and what passes a limit below, or the range of a double, is refused. Names may repeat.
 */
#ifndef TAILRACE_LOAD_JSON_TREE_H
#define TAILRACE_LOAD_JSON_TREE_H

#include "memory/scenario.h"

#include <errno.h>
#include <stdlib.h>

#define JSON_DEPTH_MAX 64        /* of arrays and objects in each other */
#define JSON_TEXT_BYTES_MAX 2040 /* of a name or string, decoded */
#define JSON_NUMBER_BYTES_MAX 127
#define JSON_SAFEPOINT_EVERY 256 /* nodes that are parsed in one stretch */

enum json_kind {
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_INTEGER,
    JSON_REAL,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT
};
struct json_text {
    uint32_t length, unused;
    char bytes[]; /* may hold NUL */
};
struct json_node {
    mem_ref name;  /* owned: of a member */
    mem_ref text;  /* owned: of a string */
    mem_ref child; /* owned: the first */
    union {
        int64_t integer;
        double real;
    } number;
    uint32_t kind, count; /* of children */
    mem_ref next;         /* owned */
};

static const mem_type json_text_type = {
    .name = "text", .id = 0, .size = sizeof(struct json_text), .trailing_max = JSON_TEXT_BYTES_MAX};
static const mem_type json_node_type;
static const mem_edge json_node_edges[] = {
    {offsetof(struct json_node, name), MEM_OWNED, &json_text_type},
    {offsetof(struct json_node, text), MEM_OWNED, &json_text_type},
    {offsetof(struct json_node, child), MEM_OWNED, &json_node_type},
    {offsetof(struct json_node, next), MEM_OWNED, &json_node_type}};
static const mem_type json_node_type = {.name = "node",
                                        .id = 1,
                                        .size = sizeof(struct json_node),
                                        .edge_count = 4,
                                        .edges = json_node_edges};

struct json_parser {
    mem_thread *t;
    mem_scope *s;
    const char *at, *end;
    uint32_t depth, nodes; /* made so far */
};

static inline struct json_text *json_text_new(mem_thread *t, mem_scope *s, const char *bytes,
                                              size_t length) {
    struct json_text *text = mem_new(t, s, &json_text_type, length);
    text->length = (uint32_t)length;
    memcpy(text->bytes, bytes, length);
    return text;
}

static inline struct json_node *json_node_new(mem_thread *t, mem_scope *s, enum json_kind kind) {
    struct json_node *node = mem_new(t, s, &json_node_type, 0);
    node->number.integer = 0;
    node->kind = kind;
    node->count = 0;
    return node;
}

static inline struct json_node *json_made(struct json_parser *p, enum json_kind kind) {
    if (++p->nodes % JSON_SAFEPOINT_EVERY == 0)
        mem_safepoint(p->t);
    return json_node_new(p->t, p->s, kind);
}

/* The next byte; NUL, which is none of the grammar's, at the end. */
static inline char json_peek(const struct json_parser *p) {
    return p->at < p->end ? *p->at : '\0';
}

static inline void json_space(struct json_parser *p) {
    while (p->at < p->end && (*p->at == ' ' || *p->at == '\t' || *p->at == '\n' || *p->at == '\r'))
        p->at++;
}

/* The number that four hex digits are; -1 where they are none. */
static inline int32_t json_hex(const char *at, const char *end) {
    int32_t value = 0;
    if (end - at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

static inline uint32_t json_put_utf8(char *into, uint32_t code) {
    if (code < 0x80) {
        into[0] = (char)code;
        return 1;
    }
    uint32_t length = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (uint32_t i = length - 1; i > 0; i--, code >>= 6)
        into[i] = (char)(0x80 | (code & 0x3f));
    into[0] = (char)(0xf00 >> length | code);
    return length;
}

/* What follows `\u`; returns the bytes that it stands for, 0 where it is wrong. */
static inline uint32_t json_code_point(struct json_parser *p, char *into) {
    int32_t code = json_hex(p->at, p->end), low;
    if (code < 0 || (code & 0xfc00) == 0xdc00)
        return 0;
    p->at += 4;
    if ((code & 0xfc00) == 0xd800) {
        if (p->end - p->at < 6 || p->at[0] != '\\' || p->at[1] != 'u')
            return 0;
        low = json_hex(p->at + 2, p->end);
        if (low < 0 || (low & 0xfc00) != 0xdc00)
            return 0;
        p->at += 6;
        code = 0x10000 + ((code & 0x3ff) << 10 | (low & 0x3ff));
    }
    return json_put_utf8(into, (uint32_t)code);
}

/* What follows a backslash; as json_code_point. */
static inline uint32_t json_escape(struct json_parser *p, char *into) {
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    char c = json_peek(p);
    const char *found = c ? strchr(from, c) : NULL;
    p->at += c != '\0';
    if (c == 'u')
        return json_code_point(p, into);
    if (found)
        *into = to[found - from];
    return found != NULL;
}

/* Length of the well-formed UTF-8 sequence (RFC 3629) of 2 to 4 bytes there; 0 where it is none. */
static inline uint32_t json_utf8(const char *bytes, const char *end) {
    const unsigned char *at = (const unsigned char *)bytes;
    uint32_t length = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
    if (at[0] < 0xc2 || at[0] > 0xf4 || end - bytes < (ptrdiff_t)length)
        return 0;
    for (uint32_t i = 1; i < length; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    bool too_long = (at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xf0 && at[1] < 0x90);
    bool no_scalar = (at[0] == 0xed && at[1] > 0x9f) || (at[0] == 0xf4 && at[1] > 0x8f);
    return too_long || no_scalar ? 0 : length;
}

/* One character of a string into `into`, as UTF-8; returns its bytes, 0 where it is wrong. */
static inline uint32_t json_character(struct json_parser *p, char *into) {
    unsigned char c = (unsigned char)*p->at;
    if (c == '\\') {
        p->at++;
        return json_escape(p, into);
    }
    if (c < 0x20)
        return 0;
    uint32_t length = c < 0x80 ? 1 : json_utf8(p->at, p->end);
    memcpy(into, p->at, length);
    p->at += length;
    return length;
}

/* A name or string, from its quotation mark on; NULL where it is wrong. */
static inline struct json_text *json_parse_text(struct json_parser *p) {
    char bytes[JSON_TEXT_BYTES_MAX + 4];
    size_t length = 0;
    if (json_peek(p) != '"')
        return NULL;
    for (p->at++; p->at < p->end && *p->at != '"';) {
        uint32_t more = json_character(p, bytes + length);
        length += more;
        if (more == 0 || length > JSON_TEXT_BYTES_MAX)
            return NULL;
    }
    if (p->at == p->end)
        return NULL;
    p->at++;
    return json_text_new(p->t, p->s, bytes, length);
}

static inline struct json_node *json_parse_string(struct json_parser *p) {
    struct json_text *text = json_parse_text(p);
    if (!text)
        return NULL;
    struct json_node *node = json_made(p, JSON_STRING);
    mem_set(p->t, p->s, node, &node->text, &json_text_type, text);
    return node;
}

static inline bool json_digits(const char **at, const char *end) {
    const char *begin = *at;
    while (*at < end && **at >= '0' && **at <= '9')
        ++*at;
    return *at > begin;
}

/* The end of the number that begins there, NULL where it is none; whether it is an integer. */
static inline const char *json_scan_number(const char *at, const char *end, bool *integer) {
    *integer = true;
    at += at < end && *at == '-';
    if (at < end && *at == '0')
        at++;
    else if (!json_digits(&at, end))
        return NULL;
    if (at < end && *at == '.') {
        *integer = false;
        at++;
        if (!json_digits(&at, end))
            return NULL;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        *integer = false;
        at++;
        at += at < end && (*at == '+' || *at == '-');
        if (!json_digits(&at, end))
            return NULL;
    }
    return at;
}

/* An integer that an int64_t cannot hold, and -0, become reals. */
static inline struct json_node *json_parse_number(struct json_parser *p) {
    char text[JSON_NUMBER_BYTES_MAX + 1];
    bool integer;
    const char *end = json_scan_number(p->at, p->end, &integer);
    if (!end || end - p->at > JSON_NUMBER_BYTES_MAX)
        return NULL;
    size_t length = (size_t)(end - p->at);
    memcpy(text, p->at, length);
    text[length] = '\0';
    errno = 0;
    int64_t whole = integer ? strtoll(text, NULL, 10) : 0;
    integer = integer && errno == 0 && strcmp(text, "-0") != 0;
    double real = integer ? 0 : strtod(text, NULL);
    if (real > 0x1.fffffffffffffp+1023 || real < -0x1.fffffffffffffp+1023)
        return NULL;
    p->at = end;
    struct json_node *node = json_made(p, integer ? JSON_INTEGER : JSON_REAL);
    if (integer)
        node->number.integer = whole;
    else
        node->number.real = real;
    return node;
}

static inline struct json_node *json_parse_literal(struct json_parser *p) {
    static const struct {
        const char *word;
        enum json_kind kind;
    } literals[] = {{"null", JSON_NULL}, {"false", JSON_FALSE}, {"true", JSON_TRUE}};
    for (size_t i = 0; i < 3; i++) {
        size_t length = strlen(literals[i].word);
        if ((size_t)(p->end - p->at) >= length && memcmp(p->at, literals[i].word, length) == 0) {
            p->at += length;
            return json_made(p, literals[i].kind);
        }
    }
    return NULL;
}

/* Adds item, given up by the caller, behind last, the container's last child (NULL: none). */
static inline void json_append(mem_thread *t, mem_scope *s, struct json_node *container,
                               struct json_node *last, struct json_node *item) {
    container->count++;
    if (last)
        mem_set(t, s, last, &last->next, &json_node_type, item);
    else
        mem_set(t, s, container, &container->child, &json_node_type, item);
}

static inline struct json_node *json_parse_value(struct json_parser *p);

static inline struct json_node *json_parse_member(struct json_parser *p) {
    struct json_text *name = json_parse_text(p);
    if (!name)
        return NULL;
    struct json_node *value = NULL;
    json_space(p);
    if (json_peek(p) == ':') {
        p->at++;
        json_space(p);
        value = json_parse_value(p);
    }
    if (value)
        mem_set(p->t, p->s, value, &value->name, &json_text_type, name);
    else
        mem_drop(p->t, p->s, &json_text_type, name);
    return value;
}

/* What follows the opening bracket into the container; false where it is wrong. */
static inline bool json_parse_children(struct json_parser *p, struct json_node *container) {
    char close = container->kind == JSON_OBJECT ? '}' : ']';
    struct json_node *last = NULL;
    for (json_space(p); last || json_peek(p) != close; json_space(p)) {
        struct json_node *item =
            container->kind == JSON_OBJECT ? json_parse_member(p) : json_parse_value(p);
        if (!item)
            return false;
        json_append(p->t, p->s, container, last, item);
        last = item;
        json_space(p);
        if (json_peek(p) == close)
            break;
        if (json_peek(p) != ',')
            return false;
        p->at++;
    }
    p->at++;
    return true;
}

static inline struct json_node *json_parse_container(struct json_parser *p, enum json_kind kind) {
    if (p->depth == JSON_DEPTH_MAX)
        return NULL;
    struct json_node *node = json_made(p, kind);
    p->depth++;
    p->at++;
    bool good = json_parse_children(p, node);
    p->depth--;
    if (good)
        return node;
    mem_drop(p->t, p->s, &json_node_type, node);
    return NULL;
}

static inline struct json_node *json_parse_value(struct json_parser *p) {
    char c = json_peek(p);
    return c == '{'                             ? json_parse_container(p, JSON_OBJECT)
           : c == '['                           ? json_parse_container(p, JSON_ARRAY)
           : c == '"'                           ? json_parse_string(p)
           : c == '-' || (c >= '0' && c <= '9') ? json_parse_number(p)
                                                : json_parse_literal(p);
}

/* Parses one whole document into the scope. Returns its root, owned, or NULL where it is refused;
 * *nodes gets how many it has, *at how far it was understood. May pass a safepoint. */
static inline struct json_node *json_parse(mem_thread *t, mem_scope *s, const char *bytes,
                                           size_t length, uint32_t *nodes, size_t *at) {
    struct json_parser p = {.t = t, .s = s, .at = bytes, .end = bytes + length};
    json_space(&p);
    struct json_node *root = json_parse_value(&p);
    json_space(&p);
    if (root && p.at < p.end) {
        mem_drop(t, s, &json_node_type, root);
        root = NULL;
    }
    *nodes = p.nodes;
    *at = (size_t)(p.at - bytes);
    return root;
}

#endif
