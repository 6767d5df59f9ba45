/* SPDX-License-Identifier: MIT */
/* audit_heap.h - memory of the audit strategy: an address space in which no address is used twice.
 *
 * Objects are bumped through a reserved region and each has a record; `index` names the record of
 * every granule, so that any address leads to its object, living or dropped, in one load. `mirror`
 * is a second region of the same shape that holds, at an edge's own offset, what set, take or swap
 * wrote there last. Behind each object lies a stretch of known bytes that nobody may write.
 *
 * Everything is read and written under audit.lock, but for what the trace hook reads: that is
 * relaxed, since in a correct program the accessing thread is ordered after the writes it depends
 * on. The lock orders all calls, so races between objects' users are for TSan to find under the
 * others.
 */
#include "memory/audit_trace.h"

#include <pthread.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define AUDIT_GRANULE_BYTES ((size_t)16)
#define AUDIT_REGION_BYTES ((size_t)64 << 30)
#define AUDIT_OBJECTS_MAX ((size_t)1 << 27)
#define AUDIT_SCOPES_MAX ((size_t)1 << 25)
#define AUDIT_THREADS_MAX 256u
#define AUDIT_DROPPED 0xa5 /* bytes of a dropped object */
#define AUDIT_FRESH 0xc3   /* undefined bytes of a new one */
#define AUDIT_GUARD 0x5b   /* bytes behind an object */

/* The trace must not see what audit itself does to objects, so nothing of it is inlined into the
 * scenario's functions and the compiler is told to leave it alone (gcc has no such trace). */
#if defined(__clang__)
#define AUDIT_CALL static __attribute__((noinline, unused, no_sanitize("coverage")))
#else
#define AUDIT_CALL static __attribute__((unused))
#endif

struct audit_object {
    const mem_type *type;
    mem_scope *scope;
    char *at;
    uint32_t next, prev; /* the living objects of the scope */
    uint32_t trailing_bytes;
    uint32_t locals, owned, parcels, reads; /* references, by who holds them */
    _Atomic bool dropped;
};
struct mem_scope {
    uint64_t creator;                               /* serial number of the thread that began it */
    _Atomic uint64_t users[AUDIT_THREADS_MAX / 64]; /* a bit for each thread's number */
    uint32_t holders, parcels; /* ends to come, and receives to come before them */
    uint32_t first;            /* of the living objects */
    bool ended, sent_to_many;
    _Atomic bool relaxed; /* objects are read by threads that are not its users */
};
struct mem_thread {
    uint64_t serial; /* never used again, unlike the number; 0: not attached */
    uint32_t number, scopes;
    uint32_t read_count, reads[MEM_READS_MAX];
    bool blocked;
};
struct audit_state {
    alignas(16) struct audit_state *next;
    struct audit_state *prev;
};
static struct {
    pthread_mutex_t lock;
    char *region, *mirror;
    _Atomic uint32_t *index;
    struct audit_object *objects;
    mem_scope *scopes;
    size_t region_used, object_count, scope_count, scopes_open;
    uint64_t threads_ever;
    struct audit_state *states;
    const mem_type *types[MEM_TYPES_MAX];
    mem_thread threads[AUDIT_THREADS_MAX];
} audit = {.lock = PTHREAD_MUTEX_INITIALIZER};
static _Thread_local mem_thread *audit_self;
static _Thread_local const char *audit_call = "access";

AUDIT_CALL __attribute__((format(printf, 1, 2))) _Noreturn void audit_die(const char *format, ...) {
    char sentence[300];
    int n = snprintf(sentence, sizeof sentence, "audit: %s: ", audit_call);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence + n, sizeof sentence - (size_t)n, format, arguments);
    va_end(arguments);
    host_violation(sentence);
}

AUDIT_CALL void *audit_reserve(size_t bytes) {
    void *pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (pages == MAP_FAILED)
        host_out_of_memory(bytes);
    return pages;
}

/* Record 0 is nobody's. */
AUDIT_CALL void audit_heap_init(void) {
    audit.region = audit_reserve(AUDIT_REGION_BYTES);
    audit.mirror = audit_reserve(AUDIT_REGION_BYTES);
    audit.index = audit_reserve(AUDIT_REGION_BYTES / AUDIT_GRANULE_BYTES * sizeof *audit.index);
    audit.objects = audit_reserve(AUDIT_OBJECTS_MAX * sizeof *audit.objects);
    audit.scopes = audit_reserve(AUDIT_SCOPES_MAX * sizeof *audit.scopes);
    audit.object_count = 1;
}

AUDIT_CALL size_t audit_bytes(const struct audit_object *o) {
    return mem_bytes(o->type, o->trailing_bytes);
}

AUDIT_CALL bool audit_in_region(const void *address) {
    return (uintptr_t)address - (uintptr_t)audit.region < AUDIT_REGION_BYTES;
}

/* The object, living or dropped, that an address lies in; NULL if there is none. */
AUDIT_CALL struct audit_object *audit_at(const void *address) {
    if (!audit.region || !audit_in_region(address))
        return NULL;
    size_t granule = (size_t)((const char *)address - audit.region) / AUDIT_GRANULE_BYTES;
    uint32_t i = atomic_load_explicit(&audit.index[granule], memory_order_relaxed);
    return i ? &audit.objects[i] : NULL;
}

AUDIT_CALL uint32_t audit_number(const struct audit_object *o) {
    return (uint32_t)(o - audit.objects);
}

AUDIT_CALL void audit_join_scope(struct audit_object *o, mem_scope *s) {
    o->scope = s;
    o->next = s->first;
    o->prev = 0;
    if (s->first)
        audit.objects[s->first].prev = audit_number(o);
    s->first = audit_number(o);
}

AUDIT_CALL void audit_leave_scope(struct audit_object *o) {
    if (o->prev)
        audit.objects[o->prev].next = o->next;
    else
        o->scope->first = o->next;
    if (o->next)
        audit.objects[o->next].prev = o->prev;
}

/* The bytes behind an object: at least one granule. */
AUDIT_CALL size_t audit_guard_bytes(size_t bytes) {
    return 2 * AUDIT_GRANULE_BYTES - bytes % AUDIT_GRANULE_BYTES;
}

/* Places an object without references; NULL where the region or the records have run out. */
AUDIT_CALL struct audit_object *audit_place(mem_scope *s, const mem_type *type, size_t trailing) {
    size_t bytes = mem_bytes(type, trailing), guard = audit_guard_bytes(bytes);
    if (bytes + guard > AUDIT_REGION_BYTES - audit.region_used ||
        audit.object_count == AUDIT_OBJECTS_MAX)
        return NULL;
    struct audit_object *o = &audit.objects[audit.object_count++];
    o->type = type;
    o->trailing_bytes = (uint32_t)trailing;
    o->at = audit.region + audit.region_used;
    for (size_t i = 0; i < bytes; i += AUDIT_GRANULE_BYTES)
        atomic_store_explicit(&audit.index[(audit.region_used + i) / AUDIT_GRANULE_BYTES],
                              audit_number(o), memory_order_relaxed);
    memset(o->at, AUDIT_FRESH, bytes);
    memset(o->at + bytes, AUDIT_GUARD, guard);
    audit.region_used += bytes + guard;
    audit_join_scope(o, s);
    mem_clear_edges(type, o->at, trailing);
    return o;
}

AUDIT_CALL void audit_check_guard(const struct audit_object *o) {
    size_t bytes = audit_bytes(o), guard = audit_guard_bytes(bytes);
    for (size_t i = 0; i < guard; i++)
        if (o->at[bytes + i] != AUDIT_GUARD)
            audit_die("%s was written beyond its end", o->type->name);
}

/* Makes a dropped object of one that has left its scope. */
AUDIT_CALL void audit_erase(struct audit_object *o) {
    audit_check_guard(o);
    atomic_store_explicit(&o->dropped, true, memory_order_relaxed);
    memset(o->at, AUDIT_DROPPED, audit_bytes(o));
}
