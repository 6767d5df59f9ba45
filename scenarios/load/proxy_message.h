/* SPDX-License-Identifier: MIT */
/* proxy_message.h - HTTP messages as the proxy's objects: growing buffers, header lists, parsing.
 *
 * Included by proxy.c after scenario.h. Everything lives in one scope; the parser is Debian's
 * http-parser, which hands out slices of the bytes it is fed at once.
 */
#ifndef TAILRACE_SCENARIOS_PROXY_MESSAGE_H
#define TAILRACE_SCENARIOS_PROXY_MESSAGE_H

#include <http_parser.h>
#include <strings.h>

#define BUFFER_BYTES_MAX (1u << 20)
#define HEADER_BYTES_MAX 16384

struct buffer {
    uint32_t length, capacity;
    char bytes[];
};
struct header {
    mem_ref next; /* owned */
    uint32_t name_length, value_length;
    char text[]; /* name, then value */
};
struct message {
    mem_ref headers; /* owned: in the order of arrival */
    mem_ref last;    /* borrowed */
    mem_ref body;    /* owned: NULL until there is one */
    uint32_t method, status, header_count, minor_version;
    bool complete, upgrade, no_body;
};

static const mem_type buffer_type = {
    .name = "buffer", .id = 0, .size = sizeof(struct buffer), .trailing_max = BUFFER_BYTES_MAX};
static const mem_type header_type;
static const mem_edge header_edges[] = {{offsetof(struct header, next), MEM_OWNED, &header_type}};
static const mem_type header_type = {.name = "header",
                                     .id = 1,
                                     .size = sizeof(struct header),
                                     .trailing_max = HEADER_BYTES_MAX,
                                     .edge_count = 1,
                                     .edges = header_edges};
static const mem_edge message_edges[] = {
    {offsetof(struct message, headers), MEM_OWNED, &header_type},
    {offsetof(struct message, last), MEM_BORROWED, &header_type},
    {offsetof(struct message, body), MEM_OWNED, &buffer_type}};
static const mem_type message_type = {.name = "message",
                                      .id = 2,
                                      .size = sizeof(struct message),
                                      .edge_count = 3,
                                      .edges = message_edges};

struct slice {
    const char *at;
    size_t length;
};
#define SLICE(literal) ((struct slice){literal, sizeof(literal) - 1})

static inline struct slice header_name(const struct header *h) {
    return (struct slice){h->text, h->name_length};
}
static inline struct slice header_value(const struct header *h) {
    return (struct slice){h->text + h->name_length, h->value_length};
}
static inline bool slice_is(struct slice a, struct slice b) {
    return a.length == b.length && strncasecmp(a.at, b.at, a.length) == 0;
}

static inline struct buffer *buffer_new(mem_thread *t, mem_scope *s, uint32_t capacity) {
    struct buffer *buffer = mem_new(t, s, &buffer_type, capacity);
    buffer->length = 0;
    buffer->capacity = capacity;
    return buffer;
}

/* Appends, growing by doubling: the buffer may move. Beyond BUFFER_BYTES_MAX bytes are dropped. */
static inline struct buffer *buffer_put(mem_thread *t, mem_scope *s, struct buffer *buffer,
                                        struct slice bytes) {
    if (bytes.length > BUFFER_BYTES_MAX - buffer->length)
        bytes.length = BUFFER_BYTES_MAX - buffer->length;
    if (buffer->length + bytes.length > buffer->capacity) {
        uint32_t capacity = buffer->capacity;
        while (capacity < buffer->length + bytes.length)
            capacity = capacity * 2 < BUFFER_BYTES_MAX ? capacity * 2 : BUFFER_BYTES_MAX;
        buffer = mem_resize(t, s, &buffer_type, buffer, buffer->capacity, capacity);
        buffer->capacity = capacity;
    }
    memcpy(buffer->bytes + buffer->length, bytes.at, bytes.length);
    buffer->length += (uint32_t)bytes.length;
    return buffer;
}

/* What parser callbacks need: the message under construction and the header not yet in its list. */
struct parse {
    mem_thread *t;
    mem_scope *s;
    struct message *message;
    struct header *header; /* owned */
    struct slice name, target;
    bool too_large;
};

static inline void parse_link_header(struct parse *p) {
    struct message *message = p->message;
    struct header *last = mem_get(&message->last), *header = p->header;
    if (!header)
        return;
    mem_link(&message->last, header);
    if (last)
        mem_set(p->t, p->s, last, &last->next, &header_type, header);
    else
        mem_set(p->t, p->s, message, &message->headers, &header_type, header);
    message->header_count++;
    p->header = NULL;
}

static inline int on_url(http_parser *parser, const char *at, size_t length) {
    ((struct parse *)parser->data)->target = (struct slice){at, length};
    return 0;
}

static inline int on_field(http_parser *parser, const char *at, size_t length) {
    struct parse *p = parser->data;
    parse_link_header(p);
    p->name = (struct slice){at, length};
    return 0;
}

/* A folded header's value comes in several pieces. */
static inline int on_value(http_parser *parser, const char *at, size_t length) {
    struct parse *p = parser->data;
    struct header *header = p->header;
    size_t old = header ? header->name_length + header->value_length : p->name.length;
    if (old + length > HEADER_BYTES_MAX) {
        p->too_large = true;
        return 1;
    }
    if (!header) {
        header = mem_new(p->t, p->s, &header_type, old + length);
        header->name_length = (uint32_t)p->name.length;
        header->value_length = 0;
        memcpy(header->text, p->name.at, p->name.length);
    } else if (length > 0) {
        header = mem_resize(p->t, p->s, &header_type, header, old, old + length);
    }
    memcpy(header->text + old, at, length);
    header->value_length += (uint32_t)length;
    p->header = header;
    return 0;
}

static inline int on_headers_complete(http_parser *parser) {
    struct parse *p = parser->data;
    parse_link_header(p);
    return p->message->no_body ? 1 : 0;
}

static inline int on_body(http_parser *parser, const char *at, size_t length) {
    struct parse *p = parser->data;
    struct message *message = p->message;
    struct buffer *body = mem_take(p->t, message, &message->body);
    if (!body)
        body = buffer_new(p->t, p->s, length < 512 ? 512 : (uint32_t)length);
    body = buffer_put(p->t, p->s, body, (struct slice){at, length});
    mem_set(p->t, p->s, message, &message->body, &buffer_type, body);
    return 0;
}

static inline int on_message_complete(http_parser *parser) {
    struct parse *p = parser->data;
    parse_link_header(p); /* of a trailer */
    p->message->complete = true;
    http_parser_pause(parser, 1); /* what follows is another message: there must be none */
    return 0;
}

/* Parses one whole message of `length` bytes. Returns it, owned, with the request target;
 * `complete` is false where the bytes are no message, less, or more than one. no_body: the answer
 * to a HEAD. */
static inline struct message *message_parse(mem_thread *t, mem_scope *s, enum http_parser_type kind,
                                            struct slice bytes, bool no_body,
                                            struct slice *target) {
    static const http_parser_settings settings = {.on_url = on_url,
                                                  .on_header_field = on_field,
                                                  .on_header_value = on_value,
                                                  .on_headers_complete = on_headers_complete,
                                                  .on_body = on_body,
                                                  .on_message_complete = on_message_complete};
    http_parser parser;
    struct message *message = mem_new(t, s, &message_type, 0);
    struct parse p = {.t = t, .s = s, .message = message};
    message->method = message->status = message->header_count = message->minor_version = 0;
    message->complete = message->upgrade = false;
    message->no_body = no_body;
    http_parser_init(&parser, kind);
    parser.data = &p;
    size_t used = http_parser_execute(&parser, &settings, bytes.at, bytes.length);
    parse_link_header(&p);
    if (HTTP_PARSER_ERRNO(&parser) == HPE_PAUSED && used + 1 == bytes.length)
        used++; /* pausing at the end leaves the last byte uncounted */
    bool failed = HTTP_PARSER_ERRNO(&parser) != HPE_OK && HTTP_PARSER_ERRNO(&parser) != HPE_PAUSED;
    message->upgrade = parser.upgrade;
    message->complete =
        message->complete && !failed && !p.too_large && (used == bytes.length || parser.upgrade);
    message->method = parser.method;
    message->status = parser.status_code;
    message->minor_version = parser.http_minor;
    if (target)
        *target = p.target;
    return message;
}

/* The first header of a name, or NULL; *count gets how many there are. */
static inline struct header *message_find(const struct message *message, struct slice name,
                                          uint32_t *count) {
    struct header *found = NULL;
    *count = 0;
    for (struct header *h = mem_get(&message->headers); h; h = mem_get(&h->next))
        if (slice_is(header_name(h), name) && (*count)++ == 0)
            found = h;
    return found;
}

#endif
