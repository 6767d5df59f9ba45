/* SPDX-License-Identifier: MIT */
/* audit_check.h - what must hold of threads, scopes, types, objects and edges when a call is made.
 *
 * Each check ends the run with a sentence where it does not hold. All but the trace's are made
 * under audit.lock.
 */
#include "memory/audit_heap.h"

/* Needs that the scenario declares, if it says so before it includes mem.h; it may use no more. */
#if !defined(SCENARIO_NEEDS)
#define SCENARIO_NEEDS MEM_ALL
#endif

AUDIT_CALL bool audit_declared(uint32_t need) {
    uint32_t needs = SCENARIO_NEEDS;
    return needs & need;
}
AUDIT_CALL void audit_need(uint32_t need, const char *name) {
    if (!audit_declared(need))
        audit_die("the scenario does not declare MEM_%s", name);
}

/* Starts and ends a call: the caller is the attached thread t. */
AUDIT_CALL void audit_lock(mem_thread *t, const char *call) {
    audit_call = call;
    if (!t || t != audit_self)
        audit_die("the mem_thread is not that of the calling thread");
    pthread_mutex_lock(&audit.lock);
}
AUDIT_CALL void audit_begin(mem_thread *t, const char *call) {
    audit_lock(t, call);
    if (t->blocked)
        audit_die("the thread is in block");
}
AUDIT_CALL void audit_end(void) {
    pthread_mutex_unlock(&audit.lock);
    audit_call = "access";
}

/* relaxed: a thread finds its own bit as it left it, which is all that a correct program asks */
AUDIT_CALL bool audit_is_user(const mem_thread *t, mem_scope *s) {
    uint64_t users = atomic_load_explicit(&s->users[t->number / 64], memory_order_relaxed);
    return users >> t->number % 64 & 1;
}
AUDIT_CALL void audit_set_user(mem_thread *t, mem_scope *s, bool use) {
    _Atomic uint64_t *users = &s->users[t->number / 64];
    uint64_t bit = (uint64_t)1 << t->number % 64;
    uint64_t old = atomic_load_explicit(users, memory_order_relaxed);
    atomic_store_explicit(users, use ? old | bit : old & ~bit, memory_order_relaxed);
    if (use)
        t->scopes++;
    else
        t->scopes--;
}
AUDIT_CALL bool audit_has_user(mem_scope *s) {
    for (uint32_t i = 0; i < AUDIT_THREADS_MAX / 64; i++)
        if (atomic_load_explicit(&s->users[i], memory_order_relaxed))
            return true;
    return false;
}
AUDIT_CALL void audit_relax(mem_scope *s) {
    atomic_store_explicit(&s->relaxed, true, memory_order_relaxed);
}

AUDIT_CALL void audit_check_open(mem_scope *s) {
    if (s < audit.scopes || s >= audit.scopes + audit.scope_count)
        audit_die("this is no scope");
    if (s->ended)
        audit_die("the scope has ended");
}
AUDIT_CALL void audit_check_user(mem_thread *t, mem_scope *s) {
    audit_check_open(s);
    if (!audit_is_user(t, s))
        audit_die("the thread is not the scope's user");
}
/* What changes objects of a scope is for a thread that has it alone. */
AUDIT_CALL void audit_check_sole_user(mem_thread *t, mem_scope *s) {
    audit_check_user(t, s);
    if (s->sent_to_many)
        audit_die("the scope was sent to several receivers, who may only read and drop");
}
/* A thread becomes a user of the scope that another one may have begun. */
AUDIT_CALL void audit_join(mem_thread *t, mem_scope *s) {
    if (t->serial != s->creator)
        audit_need(MEM_HANDOFF, "HANDOFF");
    audit_set_user(t, s, true);
}

AUDIT_CALL void audit_check_edge_type(const mem_type *type, const mem_edge *edge, size_t end) {
    if (edge->offset % sizeof(mem_ref) || edge->offset + sizeof(mem_ref) > end || !edge->type)
        audit_die("type %s has an edge that lies outside, crooked, or leads to no type",
                  type->name);
}

/* The first time a type is seen, that it is well made; later, that its id means no other type. */
AUDIT_CALL void audit_check_type(const mem_type *type) {
    if (type->id >= MEM_TYPES_MAX)
        audit_die("type %s has id %u, beyond MEM_TYPES_MAX", type->name, type->id);
    if (audit.types[type->id] == type)
        return;
    if (audit.types[type->id])
        audit_die("types %s and %s have the same id", type->name, audit.types[type->id]->name);
    for (uint32_t i = 0; i < type->edge_count; i++)
        audit_check_edge_type(type, &type->edges[i], type->size);
    const mem_edge *trailing = type->trailing_edge;
    if (trailing && (!trailing->type || type->size % sizeof(mem_ref) || type->count_offset % 4 ||
                     type->count_offset + sizeof(uint32_t) > type->size))
        audit_die("type %s has no place for its trailing edges or their number", type->name);
    if (type->size == 0)
        audit_die("type %s has no size", type->name);
    audit.types[type->id] = type;
}
AUDIT_CALL void audit_check_trailing(const mem_type *type, size_t trailing_bytes) {
    if (trailing_bytes > type->trailing_max)
        audit_die("%zu trailing bytes for %s, whose maximum is %u", trailing_bytes, type->name,
                  type->trailing_max);
    if (type->trailing_edge && trailing_bytes % sizeof(mem_ref))
        audit_die("%zu trailing bytes for %s are no whole number of edges", trailing_bytes,
                  type->name);
}

/* The living object at an address; of that type, unless type is NULL. */
AUDIT_CALL struct audit_object *audit_living(const mem_type *type, const void *object) {
    struct audit_object *o = audit_at(object);
    if (!o || o->at != object)
        audit_die("%p is not an object's address", object);
    if (atomic_load_explicit(&o->dropped, memory_order_relaxed))
        audit_die("%s was dropped before", o->type->name);
    if (type && o->type != type)
        audit_die("%s is passed as a %s", o->type->name, type->name);
    return o;
}
AUDIT_CALL struct audit_object *audit_living_in(mem_scope *s, const mem_type *type,
                                                const void *object) {
    struct audit_object *o = audit_living(type, object);
    if (o->scope != s)
        audit_die("%s belongs to another scope", o->type->name);
    return o;
}

/* The caller gives one of the object's references up. */
AUDIT_CALL void audit_consume(struct audit_object *o) {
    if (o->locals == 0)
        audit_die("%s: the caller has no reference to it%s", o->type->name,
                  o->owned ? ", an edge owns it" : "");
    o->locals--;
}

/* Edges of an object, by number: fixed ones, then trailing ones. */
AUDIT_CALL uint32_t audit_edge_count(const struct audit_object *o) {
    size_t trailing = o->type->trailing_edge ? o->trailing_bytes / sizeof(mem_ref) : 0;
    return o->type->edge_count + (uint32_t)trailing;
}
AUDIT_CALL const mem_edge *audit_edge(const struct audit_object *o, uint32_t i, mem_ref **edge) {
    const mem_type *type = o->type;
    if (i < type->edge_count) {
        *edge = mem_edge_at(o->at, type->edges[i].offset);
        return &type->edges[i];
    }
    *edge = &mem_trailing(type, o->at)[i - type->edge_count];
    return type->trailing_edge;
}

/* What set, take or swap wrote to an edge last. */
AUDIT_CALL mem_ref *audit_mirror(const mem_ref *edge) {
    return (mem_ref *)(void *)(audit.mirror + ((const char *)edge - audit.region));
}
AUDIT_CALL void *audit_load(const struct audit_object *owner, const mem_ref *edge) {
    void *object = *audit_mirror(edge);
    if (__atomic_load_n(edge, __ATOMIC_RELAXED) != object)
        audit_die("%s: its owned edge at offset %td was not written by set, take or swap",
                  owner->type->name, (const char *)edge - owner->at);
    return object;
}
/* release: pairs with the acquire of slot_read; edges that are no slots do not need it */
AUDIT_CALL void audit_store(mem_ref *edge, void *object) {
    *audit_mirror(edge) = object;
    __atomic_store_n(edge, object, __ATOMIC_RELEASE);
}
AUDIT_CALL void audit_check_edges(const struct audit_object *o) {
    const mem_type *type = o->type;
    mem_ref *edge;
    for (uint32_t i = 0; i < audit_edge_count(o); i++)
        if (audit_edge(o, i, &edge)->kind != MEM_BORROWED)
            audit_load(o, edge);
    if (type->trailing_edge &&
        *mem_trailing_count(type, o->at) != o->trailing_bytes / sizeof(mem_ref))
        audit_die("%s: the number of its trailing edges was overwritten", type->name);
}

/* The owner of an edge of that kind; *target is the type that the edge leads to. */
AUDIT_CALL struct audit_object *audit_owner(const void *owner, const mem_ref *edge,
                                            enum mem_edge_kind kind, const mem_type **target) {
    struct audit_object *o = audit_living(NULL, owner);
    mem_ref *at;
    for (uint32_t i = 0; i < o->type->edge_count; i++) {
        const mem_edge *declared = audit_edge(o, i, &at);
        *target = declared->type;
        if (at == edge && declared->kind == kind)
            return o;
    }
    size_t offset = (size_t)((const char *)edge - o->at - o->type->size);
    const mem_edge *trailing = o->type->trailing_edge;
    if (!trailing || trailing->kind != kind || offset >= o->trailing_bytes ||
        offset % sizeof(mem_ref))
        audit_die("%s has no %s edge there", o->type->name, kind == MEM_SLOT ? "SLOT" : "OWNED");
    *target = trailing->type;
    return o;
}

/* Told of every plain access of a traced scenario, without the lock. */
AUDIT_CALL void audit_on_access(const void *address, size_t bytes, bool store) {
    if (!audit.region || !audit_in_region(address))
        return;
    const char *verb = store ? "written" : "read";
    struct audit_object *o = audit_at(address);
    if (!o)
        audit_die("memory beside the objects was %s", verb);
    const char *name = o->type->name;
    if (atomic_load_explicit(&o->dropped, memory_order_relaxed))
        audit_die("%s was %s after it was dropped", name, verb);
    if ((const char *)address + bytes > o->at + audit_bytes(o))
        audit_die("%s was %s beyond its end", name, verb);
    if (!audit_self)
        audit_die("%s was %s by a thread that is not attached", name, verb);
    if (audit_self->blocked)
        audit_die("%s was %s while the thread is in block", name, verb);
    if (!audit_is_user(audit_self, o->scope) &&
        !atomic_load_explicit(&o->scope->relaxed, memory_order_relaxed))
        audit_die("%s was %s by a thread that is not its scope's user", name, verb);
}
