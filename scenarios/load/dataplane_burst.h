/* SPDX-License-Identifier: MIT */
/* dataplane_burst.h - a burst of packets as objects of one scope, and the wire that it comes from.
 */
#ifndef TAILRACE_SCENARIOS_DATAPLANE_BURST_H
#define TAILRACE_SCENARIOS_DATAPLANE_BURST_H

#include "memory/scenario.h"

#include "load/dataplane_capture.h"

#include <stdlib.h>

#define BURST_MAX 64

struct buffer {
    uint32_t length, unused;
    uint8_t bytes[];
};
/* What a DNS answer is about, for the log. */
struct name {
    uint32_t length, answers;
    char text[];
};
struct packet {
    mem_ref buffer, name; /* owned */
    struct truth truth;
    enum verdict verdict;
};
struct burst {
    uint32_t count, unused;
    uint64_t number;
    uint64_t bytes;    /* of it and all that it owns */
    mem_ref packets[]; /* owned; NULL: dropped */
};

static const mem_type buffer_type = {
    .name = "buffer", .id = 2, .size = sizeof(struct buffer), .trailing_max = FRAME_BYTES_MAX};
static const mem_type name_type = {
    .name = "name", .id = 3, .size = sizeof(struct name), .trailing_max = DNS_NAME_MAX};
static const mem_edge packet_edges[] = {{offsetof(struct packet, buffer), MEM_OWNED, &buffer_type},
                                        {offsetof(struct packet, name), MEM_OWNED, &name_type}};
static const mem_type packet_type = {.name = "packet",
                                     .id = 4,
                                     .size = sizeof(struct packet),
                                     .edge_count = 2,
                                     .edges = packet_edges};
static const mem_edge burst_edge = {0, MEM_OWNED, &packet_type};
static const mem_type burst_type = {.name = "burst",
                                    .id = 5,
                                    .size = sizeof(struct burst),
                                    .trailing_max = BURST_MAX * sizeof(mem_ref),
                                    .trailing_edge = &burst_edge,
                                    .count_offset = offsetof(struct burst, count)};

/* Frames on their way in, where prepare puts them: a request is too small for them. Plain memory,
 * one wire for each thread that prepares. */
struct wire {
    struct truth truths[BURST_MAX];
    uint8_t frames[BURST_MAX][FRAME_BYTES_MAX];
};
struct wires {
    _Atomic uint32_t taken;
    uint32_t count;
    struct wire each[];
};

static inline struct wires *wires_make(uint32_t count) {
    size_t bytes = sizeof(struct wires) + count * sizeof(struct wire);
    struct wires *wires = malloc(bytes);
    if (!wires)
        host_out_of_memory(bytes);
    atomic_init(&wires->taken, 0);
    wires->count = count;
    return wires;
}

static inline struct wire *wire_of_thread(struct wires *wires) {
    static _Thread_local struct wire *mine;
    if (mine)
        return mine;
    /* relaxed: only the number is shared */
    uint32_t number = atomic_fetch_add_explicit(&wires->taken, 1, memory_order_relaxed);
    if (number >= wires->count)
        host_violation("dataplane: more threads prepare requests than there are");
    return mine = &wires->each[number];
}

static inline uint64_t packet_bytes(const struct packet *packet) {
    return sizeof *packet + sizeof(struct buffer) + packet->truth.length;
}

static inline struct packet *packet_new(mem_thread *t, mem_scope *s, const uint8_t *frame,
                                        struct truth truth) {
    struct packet *packet = mem_new(t, s, &packet_type, 0);
    struct buffer *buffer = mem_new(t, s, &buffer_type, truth.length);
    packet->truth = truth;
    packet->verdict = FORWARD;
    buffer->length = truth.length;
    memcpy(buffer->bytes, frame, truth.length);
    mem_set(t, s, packet, &packet->buffer, &buffer_type, buffer);
    return packet;
}

/* A burst received: the wire's first frames, copied. */
static inline struct burst *burst_new(mem_thread *t, mem_scope *s, uint64_t number, uint32_t count,
                                      const struct wire *wire) {
    struct burst *burst = mem_new(t, s, &burst_type, count * sizeof(mem_ref));
    burst->number = number;
    burst->bytes = sizeof *burst + count * sizeof(mem_ref);
    for (uint32_t k = 0; k < count; k++) {
        struct packet *packet = packet_new(t, s, wire->frames[k], wire->truths[k]);
        burst->bytes += packet_bytes(packet);
        mem_set(t, s, burst, &burst->packets[k], &packet_type, packet);
    }
    return burst;
}

/* Those that were not dropped. */
static inline uint64_t burst_packets(const struct burst *burst) {
    uint64_t packets = 0;
    for (uint32_t k = 0; k < burst->count; k++)
        packets += mem_get(&burst->packets[k]) != NULL;
    return packets;
}

/* Notes which name a DNS answer is about; returns the hash of the note, read back. */
static inline uint64_t note_name(mem_thread *t, mem_scope *s, struct burst *burst,
                                 struct packet *packet, const struct parsed *parsed) {
    struct name *name = mem_new(t, s, &name_type, parsed->name_length);
    name->length = parsed->name_length;
    name->answers = parsed->answers;
    memcpy(name->text, parsed->name, parsed->name_length);
    mem_set(t, s, packet, &packet->name, &name_type, name);
    burst->bytes += sizeof *name + parsed->name_length;
    return hash_bytes(name->answers, name->text, name->length);
}

#endif
