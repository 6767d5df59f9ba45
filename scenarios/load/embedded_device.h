/* SPDX-License-Identifier: MIT */
/* embedded_device.h - what a device of embedded.c holds, and the bound that it never passes.
 *
 * A device has a scope and an owned root from which all hangs that it holds between messages:
 * readings, always; the rest while it is awake. All queues have a length that they do not pass.
 */
#ifndef TAILRACE_LOAD_EMBEDDED_DEVICE_H
#define TAILRACE_LOAD_EMBEDDED_DEVICE_H

#include "load/coap.h"
#include "memory/scenario.h"

#define READINGS 56
#define READING_SAMPLES_MAX 112
#define EXCHANGES_MAX 16    /* confirmable messages remembered, with their answers */
#define OUTBOX_MAX 8        /* notifications not yet acknowledged */
#define UPLOADS_MAX 5       /* transfers under way */
#define UPLOAD_BLOCKS_MAX 8 /* of a transfer */

/* Samples follow from the device and the reading, whichever generation it belongs to. */
struct reading {
    uint64_t sum, updates; /* of what was put to it */
    uint64_t count, samples[];
};
/* A datagram, received or to be sent. */
struct packet {
    uint32_t length;
    uint8_t bytes[];
};
struct exchange {
    mem_ref packet; /* owned */
    uint64_t id;
    mem_ref next; /* owned */
};
struct block {
    uint32_t length, unused;
    mem_ref next; /* owned */
    uint8_t bytes[];
};
struct upload {
    mem_ref blocks; /* owned: the last one first */
    uint64_t token;
    uint32_t count, bytes; /* of the blocks; bytes of the objects */
    mem_ref next;          /* owned */
};
struct root {
    mem_ref exchanges, outbox, uploads; /* owned: the newest first */
    uint32_t exchange_count, outbox_count, upload_count, reading_count;
    mem_ref readings[]; /* owned */
};

static const mem_type reading_type = {.name = "reading",
                                      .id = 0,
                                      .size = sizeof(struct reading),
                                      .trailing_max = READING_SAMPLES_MAX * sizeof(uint64_t)};
static const mem_type packet_type = {
    .name = "packet", .id = 1, .size = sizeof(struct packet), .trailing_max = COAP_FRAME_BYTES_MAX};
static const mem_type exchange_type;
static const mem_edge exchange_edges[] = {
    {offsetof(struct exchange, packet), MEM_OWNED, &packet_type},
    {offsetof(struct exchange, next), MEM_OWNED, &exchange_type}};
static const mem_type exchange_type = {.name = "exchange",
                                       .id = 2,
                                       .size = sizeof(struct exchange),
                                       .edge_count = 2,
                                       .edges = exchange_edges};
static const mem_type block_type;
static const mem_edge block_edges[] = {{offsetof(struct block, next), MEM_OWNED, &block_type}};
static const mem_type block_type = {.name = "block",
                                    .id = 3,
                                    .size = sizeof(struct block),
                                    .trailing_max = COAP_BLOCK_BYTES_MAX,
                                    .edge_count = 1,
                                    .edges = block_edges};
static const mem_type upload_type;
static const mem_edge upload_edges[] = {{offsetof(struct upload, blocks), MEM_OWNED, &block_type},
                                        {offsetof(struct upload, next), MEM_OWNED, &upload_type}};
static const mem_type upload_type = {.name = "upload",
                                     .id = 4,
                                     .size = sizeof(struct upload),
                                     .edge_count = 2,
                                     .edges = upload_edges};
static const mem_edge root_edges[] = {{offsetof(struct root, exchanges), MEM_OWNED, &exchange_type},
                                      {offsetof(struct root, outbox), MEM_OWNED, &exchange_type},
                                      {offsetof(struct root, uploads), MEM_OWNED, &upload_type}};
static const mem_edge root_reading = {0, MEM_OWNED, &reading_type};
static const mem_type root_type = {.name = "root",
                                   .id = 5,
                                   .size = sizeof(struct root),
                                   .trailing_max = READINGS * sizeof(mem_ref),
                                   .edge_count = 3,
                                   .edges = root_edges,
                                   .trailing_edge = &root_reading,
                                   .count_offset = offsetof(struct root, reading_count)};

struct device {
    pthread_mutex_t lock;
    mem_scope *scope;
    struct root *root; /* owned */
    uint64_t number;
    uint64_t used_bytes, asleep_bytes, budget_bytes; /* of objects, as asked for */
    uint64_t refused, unsent;                        /* messages, for lack of room */
    uint64_t lacking_bytes; /* what the system did not have, though the device had room for it */
    char apart[64];         /* two devices share no cache line */
};
/* A device awake: whose thread has its lock and is its scope's user. */
struct awake {
    mem_thread *t;
    mem_scope *s;
    struct device *device;
    struct root *root;
};

/* The only way to an object: NULL beyond the budget, and where memory has run out. */
static inline void *device_new(const struct awake *a, const mem_type *type, size_t trailing_bytes) {
    uint64_t bytes = type->size + trailing_bytes;
    if (a->device->used_bytes + bytes > a->device->budget_bytes)
        return NULL;
    void *object = mem_try_new(a->t, a->s, type, trailing_bytes);
    if (object)
        a->device->used_bytes += bytes;
    else
        a->device->lacking_bytes = bytes;
    return object;
}

/* Gives an object back that, with all that it owns, has so many bytes. */
static inline void device_drop(const struct awake *a, const mem_type *type, void *object,
                               uint64_t bytes) {
    a->device->used_bytes -= bytes;
    mem_drop(a->t, a->s, type, object);
}

static inline uint64_t reading_bytes(const struct reading *reading) {
    return sizeof *reading + reading->count * sizeof *reading->samples;
}
static inline uint64_t packet_bytes(const struct packet *packet) {
    return sizeof *packet + packet->length;
}
static inline uint64_t exchange_bytes(const struct exchange *exchange) {
    const struct packet *packet = mem_get(&exchange->packet);
    return sizeof *exchange + (packet ? packet_bytes(packet) : 0);
}

/* 64 to 896 bytes of samples, mixed, as many on each device. */
static inline uint64_t reading_samples(uint64_t number) {
    static const uint8_t counts[] = {8, 104, 24, 56, 16, READING_SAMPLES_MAX, 40, 80};
    return counts[number % sizeof counts];
}

/* Word number `at` of what begins with `first`: how all content is made, so that it can be checked
 * wherever it is read. */
static inline uint64_t content_word(uint64_t first, uint64_t at) {
    return first + at * RNG_GOLDEN;
}
static inline void content_fill(uint64_t *words, uint64_t count, uint64_t first) {
    for (uint64_t i = 0; i < count; i++)
        words[i] = content_word(first, i);
}
/* Not aligned. */
static inline bool content_good(const void *bytes, uint64_t count) {
    uint64_t first = 0, word = 0;
    memcpy(&first, bytes, sizeof first);
    for (uint64_t i = 0; i < count; i++) {
        memcpy(&word, (const char *)bytes + i * sizeof word, sizeof word);
        if (word != content_word(first, i))
            return false;
    }
    return true;
}

/* A copy of the frame; NULL where there is no room. */
static inline struct packet *packet_new(const struct awake *a, const struct coap_frame *frame) {
    struct packet *packet = device_new(a, &packet_type, frame->length);
    if (!packet)
        return NULL;
    packet->length = frame->length;
    memcpy(packet->bytes, frame->bytes, frame->length);
    return packet;
}

/* Lists of exchanges: the root's exchanges or outbox. */
static inline struct exchange *exchange_find(const mem_ref *list, uint64_t id) {
    struct exchange *at = mem_get(list);
    while (at && at->id != id)
        at = mem_get(&at->next);
    return at;
}

/* Puts one without a packet in front; NULL where there is no room. */
static inline struct exchange *exchange_push(const struct awake *a, mem_ref *list, uint32_t *count,
                                             uint64_t id) {
    struct exchange *exchange = device_new(a, &exchange_type, 0);
    if (!exchange)
        return NULL;
    exchange->id = id;
    mem_set(a->t, a->s, exchange, &exchange->next, &exchange_type, mem_take(a->t, a->root, list));
    mem_set(a->t, a->s, a->root, list, &exchange_type, exchange);
    ++*count;
    return exchange;
}

/* Takes one of the list out and drops it. */
static inline void exchange_remove(const struct awake *a, mem_ref *list, uint32_t *count,
                                   const struct exchange *victim) {
    void *owner = a->root;
    mem_ref *edge = list;
    for (struct exchange *at; (at = mem_get(edge)) != victim; edge = &at->next)
        owner = at;
    struct exchange *out = mem_take(a->t, owner, edge);
    mem_set(a->t, a->s, owner, edge, &exchange_type, mem_take(a->t, out, &out->next));
    device_drop(a, &exchange_type, out, exchange_bytes(out));
    --*count;
}

static inline void exchange_remove_oldest(const struct awake *a, mem_ref *list, uint32_t *count) {
    const struct exchange *oldest = mem_get(list);
    for (const struct exchange *at = oldest; at; at = mem_get(&at->next))
        oldest = at;
    exchange_remove(a, list, count, oldest);
}

static inline struct upload *upload_find(const struct awake *a, uint64_t token) {
    struct upload *at = mem_get(&a->root->uploads);
    while (at && at->token != token)
        at = mem_get(&at->next);
    return at;
}

/* NULL where there is no room, or UPLOADS_MAX are under way. */
static inline struct upload *upload_push(const struct awake *a, uint64_t token) {
    struct root *root = a->root;
    struct upload *upload =
        root->upload_count < UPLOADS_MAX ? device_new(a, &upload_type, 0) : NULL;
    if (!upload)
        return NULL;
    upload->token = token;
    upload->count = 0;
    upload->bytes = sizeof *upload;
    mem_set(a->t, a->s, upload, &upload->next, &upload_type, mem_take(a->t, root, &root->uploads));
    mem_set(a->t, a->s, root, &root->uploads, &upload_type, upload);
    root->upload_count++;
    return upload;
}

static inline bool upload_add(const struct awake *a, struct upload *upload, const void *bytes,
                              uint32_t length) {
    struct block *block = device_new(a, &block_type, length);
    if (!block)
        return false;
    block->length = length;
    memcpy(block->bytes, bytes, length);
    mem_set(a->t, a->s, block, &block->next, &block_type, mem_take(a->t, upload, &upload->blocks));
    mem_set(a->t, a->s, upload, &upload->blocks, &block_type, block);
    upload->count++;
    upload->bytes += (uint32_t)(sizeof *block + length);
    return true;
}

/* Takes it out and drops it with its blocks. */
static inline void upload_remove(const struct awake *a, const struct upload *victim) {
    void *owner = a->root;
    mem_ref *edge = &a->root->uploads;
    for (struct upload *at; (at = mem_get(edge)) != victim; edge = &at->next)
        owner = at;
    struct upload *out = mem_take(a->t, owner, edge);
    mem_set(a->t, a->s, owner, edge, &upload_type, mem_take(a->t, out, &out->next));
    device_drop(a, &upload_type, out, out->bytes);
    a->root->upload_count--;
}

#endif
