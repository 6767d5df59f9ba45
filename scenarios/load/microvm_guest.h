/* SPDX-License-Identifier: MIT */
/* microvm_guest.h - what a session holds: the map of its guest's memory, and its virtio devices.
 *
 * All of it lies in the session's scope, whose user the caller is. Contents follow from the slot
 * that the session is in, so that they can be checked, and are the same for each that comes after.
 */
#ifndef TAILRACE_SCENARIOS_MICROVM_GUEST_H
#define TAILRACE_SCENARIOS_MICROVM_GUEST_H

#include "memory/scenario.h"

/* A guest of 128 MiB, the smallest that Lambda has, in pages of 4 KiB. */
#define TABLE_ENTRIES 512
#define TABLES 64
#define BOOT_TABLES_MIN 2
#define BOOT_TABLES_SPREAD 7
#define QUEUE_ENTRIES 256 /* Firecracker's, for all of its devices */
#define DEVICES_MIN 3     /* network, root disk, vsock; more disks, balloon, entropy */
#define DEVICES_SPREAD 4
#define BUFFER_OCTAVES 4
#define BUFFER_BYTES_MIN 256
#define BUFFER_BYTES_MAX (BUFFER_BYTES_MIN << BUFFER_OCTAVES) /* a page: what one transfer has */

struct table {
    uint64_t number, entries[TABLE_ENTRIES];
};
struct map {
    uint32_t table_count, unused;
    mem_ref tables[]; /* owned; NULL where the guest has touched no page */
};
/* virtio 1.1, 2.6: split queue. */
struct queue {
    uint64_t pushed;
    struct {
        uint64_t address;
        uint32_t length, flags;
    } descriptors[QUEUE_ENTRIES];
    struct {
        uint32_t id, length;
    } used[QUEUE_ENTRIES];
};
struct buffer {
    uint64_t length;
    unsigned char bytes[];
};
struct device {
    uint64_t number;
    mem_ref queue, buffer, next; /* owned */
};
struct session {
    uint64_t slot, serial; /* immutable */
    uint64_t served;       /* transfers */
    uint64_t bytes;        /* of all its objects */
    uint64_t device_count;
    mem_ref map, devices; /* owned */
};

static const mem_type table_type = {.name = "table", .id = 0, .size = sizeof(struct table)};
static const mem_edge map_edge = {0, MEM_OWNED, &table_type};
static const mem_type map_type = {.name = "map",
                                  .id = 1,
                                  .size = sizeof(struct map),
                                  .trailing_max = TABLES * sizeof(mem_ref),
                                  .trailing_edge = &map_edge,
                                  .count_offset = offsetof(struct map, table_count)};
static const mem_type queue_type = {.name = "queue", .id = 2, .size = sizeof(struct queue)};
static const mem_type buffer_type = {
    .name = "buffer", .id = 3, .size = sizeof(struct buffer), .trailing_max = BUFFER_BYTES_MAX};
static const mem_type device_type;
static const mem_edge device_edges[] = {{offsetof(struct device, queue), MEM_OWNED, &queue_type},
                                        {offsetof(struct device, buffer), MEM_OWNED, &buffer_type},
                                        {offsetof(struct device, next), MEM_OWNED, &device_type}};
static const mem_type device_type = {.name = "device",
                                     .id = 4,
                                     .size = sizeof(struct device),
                                     .edge_count = 3,
                                     .edges = device_edges};
static const mem_edge session_edges[] = {
    {offsetof(struct session, map), MEM_OWNED, &map_type},
    {offsetof(struct session, devices), MEM_OWNED, &device_type}};
static const mem_type session_type = {.name = "session",
                                      .id = 5,
                                      .size = sizeof(struct session),
                                      .edge_count = 2,
                                      .edges = session_edges};

/* Where the host has the page of a guest. */
static uint64_t page_address(uint64_t slot, uint64_t page) {
    return hash_pair(slot, page) << 12;
}
static uint64_t device_count(uint64_t slot) {
    return DEVICES_MIN + hash_pair(slot, 0xde) % DEVICES_SPREAD;
}
static rng device_random(uint64_t slot, uint64_t number) {
    return rng_at(~slot, number);
}
static uint64_t buffer_bytes(rng *random) {
    uint64_t octave = (uint64_t)BUFFER_BYTES_MIN << rng_below(random, BUFFER_OCTAVES);
    return octave + rng_below(random, octave);
}

static void add_table(mem_thread *t, mem_scope *s, struct session *session, uint64_t number) {
    struct map *map = mem_get(&session->map);
    struct table *table = mem_new(t, s, &table_type, 0);
    table->number = number;
    for (uint64_t i = 0; i < TABLE_ENTRIES; i++)
        table->entries[i] = page_address(session->slot, number * TABLE_ENTRIES + i);
    mem_set(t, s, map, &map->tables[number], &table_type, table);
    session->bytes += sizeof *table;
}

static struct queue *queue_new(mem_thread *t, mem_scope *s) {
    struct queue *queue = mem_new(t, s, &queue_type, 0);
    memset(queue, 0, sizeof *queue);
    return queue;
}

static struct buffer *buffer_new(mem_thread *t, mem_scope *s, uint64_t bytes) {
    struct buffer *buffer = mem_new(t, s, &buffer_type, bytes);
    buffer->length = bytes;
    return buffer;
}

static void add_device(mem_thread *t, mem_scope *s, struct session *session, uint64_t number) {
    rng random = device_random(session->slot, number);
    struct device *device = mem_new(t, s, &device_type, 0);
    device->number = number;
    mem_set(t, s, device, &device->queue, &queue_type, queue_new(t, s));
    struct buffer *buffer = buffer_new(t, s, buffer_bytes(&random));
    for (uint64_t i = 0; i < buffer->length; i++)
        buffer->bytes[i] = (unsigned char)(hash_u64(random.state + i / 8) >> i % 8 * 8);
    session->bytes += sizeof *device + sizeof(struct queue) + sizeof *buffer + buffer->length;
    mem_set(t, s, device, &device->buffer, &buffer_type, buffer);
    mem_set(t, s, device, &device->next, &device_type, mem_take(t, session, &session->devices));
    mem_set(t, s, session, &session->devices, &device_type, device);
}

/* A session that has booted: its kernel has touched the first pages. */
static struct session *session_new(mem_thread *t, mem_scope *s, uint64_t slot, uint64_t serial) {
    struct session *session = mem_new(t, s, &session_type, 0);
    rng random = rng_at(slot, serial);
    uint64_t tables = BOOT_TABLES_MIN + rng_below(&random, BOOT_TABLES_SPREAD);
    session->slot = slot;
    session->serial = serial;
    session->served = 0;
    session->device_count = device_count(slot);
    session->bytes = sizeof *session + sizeof(struct map) + TABLES * sizeof(mem_ref);
    mem_set(t, s, session, &session->map, &map_type,
            mem_new(t, s, &map_type, TABLES * sizeof(mem_ref)));
    for (uint64_t i = 0; i < tables; i++)
        add_table(t, s, session, i);
    for (uint64_t i = 0; i < session->device_count; i++)
        add_device(t, s, session, i);
    return session;
}

/* The host's address of a guest's page. The first access to a table's pages makes the table. */
static uint64_t session_page(mem_thread *t, mem_scope *s, struct session *session, uint64_t page) {
    const struct map *map = mem_get(&session->map);
    const struct table *table = mem_get(&map->tables[page / TABLE_ENTRIES]);
    if (!table) {
        add_table(t, s, session, page / TABLE_ENTRIES);
        table = mem_get(&map->tables[page / TABLE_ENTRIES]);
    }
    uint64_t address = table->entries[page % TABLE_ENTRIES];
    if (address != page_address(session->slot, page))
        host_violation("microvm: a page of a guest is not where it was mapped");
    return address;
}

/* The device that a number, of any size, falls on. */
static struct device *session_device(const struct session *session, uint64_t number) {
    struct device *device = mem_get(&session->devices);
    for (uint64_t i = number % session->device_count; i > 0; i--)
        device = mem_get(&device->next);
    return device;
}

static void queue_push(struct queue *queue, uint64_t address, uint32_t length) {
    uint32_t id = (uint32_t)(queue->pushed++ % QUEUE_ENTRIES);
    queue->descriptors[id].address = address;
    queue->descriptors[id].length = length;
    queue->descriptors[id].flags = 0;
    queue->used[id].id = id;
    queue->used[id].length = length;
}

/* Holds what a session has done against what its devices say. */
static void session_check(const struct session *session, uint64_t slot, uint64_t serial) {
    uint64_t pushed = 0, devices = 0;
    for (const struct device *at = mem_get(&session->devices); at; at = mem_get(&at->next)) {
        pushed += ((const struct queue *)mem_get(&at->queue))->pushed;
        devices++;
    }
    if (session->slot != slot || session->serial != serial)
        host_violation("microvm: a slot holds a session that is not its own");
    if (pushed != session->served || devices != device_count(slot))
        host_violation("microvm: a session's devices have not done what it has served");
}

#endif
