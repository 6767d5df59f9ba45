/* SPDX-License-Identifier: MIT */
/* gc_mark.h - marking: from roots along typed edges, precisely.
 *
 * What is to be looked at is an object with its type, in packets: a marker fills and empties one of
 * its own, full ones are shared. An object is marked when it is looked at, not when it is found: so
 * its mark byte and its first bytes can be prefetched, which a short queue between the two gives
 * the time for (Cher, Hosking, Vitek, "Software prefetching for mark-sweep garbage collection",
 * 2004). Objects without edges are never touched. Two markers that look at one object at once both
 * mark it and both follow its edges: the same, twice.
 *
 * Borrowed edges are not followed: what only they lead to has no owner, so nobody may use it
 * (mem.h). Edges are loaded with acquire, which pairs with the release of who stored there an
 * object that is newer than the stop; older ones the stop orders.
 */
#include "memory/gc_world.h"

#define GC_PACKET_ITEMS 510
#define GC_AHEAD 16 /* items between prefetch and use */
#define GC_TYPE_BITS 48

struct gc_packet {
    struct gc_packet *next;
    uint64_t count;
    uint64_t items[GC_PACKET_ITEMS]; /* address, type's id above it */
};
struct gc_marker {
    struct gc_packet *packet;
    uint64_t ahead[GC_AHEAD];
    uint32_t ahead_at;
};
static struct {
    pthread_mutex_t lock;
    struct gc_packet *full, *empty;
    uint32_t busy; /* markers at work, which may find more */
} gc_work = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct gc_packet *gc_packet_empty(void) {
    pthread_mutex_lock(&gc_work.lock);
    struct gc_packet *packet = gc_work.empty;
    if (packet)
        gc_work.empty = packet->next;
    pthread_mutex_unlock(&gc_work.lock);
    if (!packet && !(packet = malloc(sizeof *packet)))
        host_out_of_memory(sizeof *packet);
    packet->count = 0;
    return packet;
}
static void gc_packet_give(struct gc_packet **list, struct gc_packet *packet) {
    pthread_mutex_lock(&gc_work.lock);
    packet->next = *list;
    *list = packet;
    pthread_mutex_unlock(&gc_work.lock);
}

/* Begins to mark; the caller ends it. */
static void gc_marker_begin(struct gc_marker *m) {
    *m = (struct gc_marker){.packet = gc_packet_empty()};
    pthread_mutex_lock(&gc_work.lock);
    gc_work.busy++;
    pthread_mutex_unlock(&gc_work.lock);
}
MEM_INLINE void gc_push(struct gc_marker *m, const void *object, uint32_t type) {
    if (!MEM_LIKELY(m->packet->count < GC_PACKET_ITEMS)) {
        gc_packet_give(&gc_work.full, m->packet);
        m->packet = gc_packet_empty();
    }
    m->packet->items[m->packet->count++] = (uint64_t)(uintptr_t)object | (uint64_t)type
                                                                             << GC_TYPE_BITS;
}

MEM_INLINE void gc_push_edge(struct gc_marker *m, const mem_ref *at, const mem_edge *edge) {
    /* acquire: pairs with the release in mem_set and mem_slot_swap */
    void *target = edge->kind == MEM_BORROWED ? NULL : __atomic_load_n(at, __ATOMIC_ACQUIRE);
    if (target)
        gc_push(m, target, edge->type->id);
}

/* Marks one object and pushes what it owns; true if it was not marked before. */
MEM_INLINE bool gc_look_at(struct gc_marker *m, uint64_t item) {
    void *object = (void *)(uintptr_t)(item & (((uint64_t)1 << GC_TYPE_BITS) - 1));
    const mem_type *type = gc_world.types[item >> GC_TYPE_BITS];
    _Atomic uint8_t *mark = gc_mark_of(object);
    /* relaxed, both: whoever marks it as well writes the same */
    if (atomic_load_explicit(mark, memory_order_relaxed) == gc_colour)
        return false;
    atomic_store_explicit(mark, gc_colour, memory_order_relaxed);
    for (uint32_t i = 0; i < type->edge_count; i++)
        gc_push_edge(m, mem_edge_at(object, type->edges[i].offset), &type->edges[i]);
    for (uint32_t i = 0; type->trailing_edge && i < *mem_trailing_count(type, object); i++)
        gc_push_edge(m, &mem_trailing(type, object)[i], type->trailing_edge);
    return true;
}

/* The next item of the marker's own packet, or of one that is shared; 0 if there is none. */
MEM_INLINE uint64_t gc_pop(struct gc_marker *m) {
    if (m->packet->count == 0) {
        pthread_mutex_lock(&gc_work.lock);
        struct gc_packet *packet = gc_work.full;
        if (packet) {
            gc_work.full = packet->next;
            m->packet->next = gc_work.empty;
            gc_work.empty = m->packet;
            m->packet = packet;
        }
        pthread_mutex_unlock(&gc_work.lock);
        if (!packet)
            return 0;
    }
    return m->packet->items[--m->packet->count];
}

/* Marks until so many objects were newly marked or nothing is left to be had. Returns how many. */
static uint64_t gc_mark(struct gc_marker *m, uint64_t objects_max) {
    uint64_t marked = 0;
    for (uint32_t dry = 0; dry < GC_AHEAD && marked < objects_max;) {
        uint64_t next = gc_pop(m), *slot = &m->ahead[m->ahead_at++ % GC_AHEAD], item = *slot;
        dry = next ? 0 : dry + 1;
        if (next) {
            void *object = (void *)(uintptr_t)(next & (((uint64_t)1 << GC_TYPE_BITS) - 1));
            __builtin_prefetch((const void *)(uintptr_t)gc_mark_of(object));
            __builtin_prefetch(object);
        }
        *slot = next;
        if (item) {
            marked += gc_look_at(m, item);
            dry = 0; /* it may have pushed some */
        }
    }
    return marked;
}

/* Shares what the marker has left; true if it was the last at work and nothing is left at all. */
static bool gc_marker_end(struct gc_marker *m) {
    for (int i = 0; i < GC_AHEAD; i++)
        if (m->ahead[i])
            gc_push(m, (void *)(uintptr_t)(m->ahead[i] & (((uint64_t)1 << GC_TYPE_BITS) - 1)),
                    (uint32_t)(m->ahead[i] >> GC_TYPE_BITS));
    gc_packet_give(m->packet->count > 0 ? &gc_work.full : &gc_work.empty, m->packet);
    pthread_mutex_lock(&gc_work.lock);
    bool last = --gc_work.busy == 0 && !gc_work.full;
    pthread_mutex_unlock(&gc_work.lock);
    return last;
}

/* The roots of the cycle. What threads logged is taken over while the world is stopped, and may be
 * gone through later: what was a root then and is not now was seen by the barrier. */
static struct gc_log gc_roots;

static void gc_roots_take(struct gc_marker *m) {
    gc_log_move(&gc_roots, &gc_world.left);
    for (mem_thread *t = gc_world.threads; t; t = t->next) {
        gc_log_move(&gc_roots, &t->roots);
        for (uint32_t i = 0; i < t->read_count; i++)
            gc_push(m, t->reads[i], gc_header_of(t->reads[i])->type);
    }
}
static void gc_roots_mark(struct gc_marker *m) {
    gc_log_prune(&gc_roots);
    for (size_t i = 0; i < gc_roots.count; i++) {
        if (i + GC_AHEAD < gc_roots.count)
            __builtin_prefetch(gc_header_of(gc_roots.objects[i + GC_AHEAD]));
        gc_push(m, gc_roots.objects[i], gc_header_of(gc_roots.objects[i])->type);
        if (i % GC_PACKET_ITEMS == GC_PACKET_ITEMS - 1)
            gc_mark(m, UINT64_MAX);
    }
    gc_mark(m, UINT64_MAX);
}
