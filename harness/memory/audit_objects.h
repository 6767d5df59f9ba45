/* SPDX-License-Identifier: MIT */
/* audit_objects.h - the calls of the audit strategy that make, own and give up objects. */

/* Counts and edges: whoever counts down calls this. An object without references is dropped with
 * what it owns; those that are to follow it are linked by `next`, so no list is too long. */
AUDIT_CALL bool audit_is_held(const struct audit_object *o) {
    return o->locals || o->owned || o->parcels || o->reads;
}
AUDIT_CALL void audit_reap(struct audit_object *o) {
    if (audit_is_held(o))
        return;
    audit_leave_scope(o);
    o->next = 0;
    for (uint32_t todo = audit_number(o); todo;) {
        o = &audit.objects[todo];
        todo = o->next;
        audit_check_edges(o);
        for (uint32_t i = 0; i < audit_edge_count(o); i++) {
            mem_ref *edge;
            if (audit_edge(o, i, &edge)->kind == MEM_BORROWED || !*audit_mirror(edge))
                continue;
            struct audit_object *child = audit_at(*audit_mirror(edge));
            child->owned--;
            if (audit_is_held(child))
                continue;
            audit_leave_scope(child);
            child->next = todo;
            todo = audit_number(child);
        }
        audit_erase(o);
    }
}
AUDIT_CALL void audit_disown(void *object) {
    if (!object)
        return;
    struct audit_object *o = audit_at(object);
    o->owned--;
    audit_reap(o);
}

AUDIT_CALL void *audit_new(mem_thread *t, mem_scope *s, const mem_type *type, size_t trailing_bytes,
                           const char *call) {
    audit_begin(t, call);
    audit_check_sole_user(t, s);
    audit_check_type(type);
    audit_check_trailing(type, trailing_bytes);
    struct audit_object *o = audit_place(s, type, trailing_bytes);
    if (o)
        o->locals = 1;
    for (uint32_t i = 0; i < type->edge_count; i++)
        if (type->edges[i].kind == MEM_SLOT)
            audit_relax(s);
    if (type->trailing_edge && type->trailing_edge->kind == MEM_SLOT)
        audit_relax(s);
    audit_end();
    return o ? o->at : NULL;
}
AUDIT_CALL void *mem_new(mem_thread *t, mem_scope *s, const mem_type *type, size_t trailing_bytes) {
    void *object = audit_new(t, s, type, trailing_bytes, "new");
    if (!object)
        host_out_of_memory(trailing_bytes);
    return object;
}
AUDIT_CALL void *mem_try_new(mem_thread *t, mem_scope *s, const mem_type *type,
                             size_t trailing_bytes) {
    return audit_new(t, s, type, trailing_bytes, "try_new");
}

/* Trailing edges that a shorter object loses must not own anything. */
AUDIT_CALL void audit_check_cut(const struct audit_object *o, size_t trailing_bytes) {
    for (uint32_t i = 0; i < audit_edge_count(o); i++) {
        mem_ref *edge;
        if (audit_edge(o, i, &edge)->kind != MEM_BORROWED && *audit_mirror(edge) &&
            (char *)edge >= o->at + o->type->size + trailing_bytes)
            audit_die("%s is cut short where an edge owns an object", o->type->name);
    }
}
AUDIT_CALL void audit_move(struct audit_object *from, struct audit_object *to) {
    uint32_t shorter =
        from->trailing_bytes < to->trailing_bytes ? from->trailing_bytes : to->trailing_bytes;
    memcpy(to->at, from->at, from->type->size + shorter);
    for (uint32_t i = 0; i < audit_edge_count(from) && i < audit_edge_count(to); i++) {
        mem_ref *old, *new;
        audit_edge(from, i, &old);
        audit_edge(to, i, &new);
        *audit_mirror(new) = *audit_mirror(old);
    }
    mem_clear_trailing(to->type, to->at, from->trailing_bytes / sizeof(mem_ref),
                       to->trailing_bytes / sizeof(mem_ref));
    to->locals = from->locals;
    audit_leave_scope(from);
    audit_erase(from);
}
AUDIT_CALL void *mem_resize(mem_thread *t, mem_scope *s, const mem_type *type, void *object,
                            size_t old_trailing_bytes, size_t new_trailing_bytes) {
    audit_begin(t, "resize");
    audit_need(MEM_RESIZE, "RESIZE");
    audit_check_sole_user(t, s);
    struct audit_object *o = audit_living_in(s, type, object);
    audit_check_trailing(type, new_trailing_bytes);
    if (old_trailing_bytes != o->trailing_bytes)
        audit_die("%s has %u trailing bytes, not %zu", type->name, o->trailing_bytes,
                  old_trailing_bytes);
    if (o->locals != 1 || o->owned || o->parcels || o->reads)
        audit_die("%s has references beside the caller's", type->name);
    audit_check_edges(o);
    audit_check_cut(o, new_trailing_bytes);
    struct audit_object *moved = audit_place(s, type, new_trailing_bytes);
    if (!moved)
        host_out_of_memory(new_trailing_bytes);
    audit_move(o, moved);
    audit_end();
    return moved->at;
}

AUDIT_CALL void *mem_keep(mem_thread *t, const mem_type *type, void *object) {
    audit_begin(t, "keep");
    audit_need(MEM_SHARED, "SHARED");
    struct audit_object *o = audit_living(type, object);
    o->locals++;
    audit_relax(o->scope);
    audit_end();
    return object;
}

AUDIT_CALL void mem_drop(mem_thread *t, mem_scope *s, const mem_type *type, void *object) {
    audit_begin(t, "drop");
    audit_check_user(t, s);
    if (object) {
        struct audit_object *o = audit_living_in(s, type, object);
        audit_check_edges(o);
        audit_consume(o);
        audit_reap(o);
    }
    audit_end();
}

/* An edge of `from` comes to own what the caller had a reference to; returns what it owned before.
 */
AUDIT_CALL void *audit_replace(mem_thread *t, mem_scope *s, const struct audit_object *from,
                               mem_ref *edge, const mem_type *target, const mem_type *type,
                               void *object) {
    audit_check_sole_user(t, s);
    if (from->scope != s)
        audit_die("%s belongs to another scope", from->type->name);
    if (type != target)
        audit_die("%s is passed as the type of an edge to %s", type->name, target->name);
    if (object) {
        struct audit_object *o = audit_living(type, object);
        if (o->scope != s)
            audit_die("an edge of %s would own %s of another scope", from->type->name, type->name);
        audit_consume(o);
        o->owned++;
    }
    void *old = audit_load(from, edge);
    audit_store(edge, object);
    return old;
}
AUDIT_CALL void mem_set(mem_thread *t, mem_scope *s, void *owner, mem_ref *edge,
                        const mem_type *type, void *object) {
    audit_begin(t, "set");
    const mem_type *target;
    struct audit_object *from = audit_owner(owner, edge, MEM_OWNED, &target);
    audit_disown(audit_replace(t, s, from, edge, target, type, object));
    audit_end();
}
AUDIT_CALL void *mem_take(mem_thread *t, void *owner, mem_ref *edge) {
    audit_begin(t, "take");
    const mem_type *target;
    struct audit_object *from = audit_owner(owner, edge, MEM_OWNED, &target);
    audit_check_sole_user(t, from->scope);
    void *object = audit_load(from, edge);
    audit_store(edge, NULL);
    if (object) {
        struct audit_object *o = audit_living(target, object);
        o->owned--;
        o->locals++;
    }
    audit_end();
    return object;
}

AUDIT_CALL void *mem_slot_read(mem_thread *t, mem_slot *slot) {
    audit_begin(t, "slot_read");
    audit_need(MEM_SLOTS, "SLOTS");
    if (t->read_count == MEM_READS_MAX)
        audit_die("the thread has MEM_READS_MAX reads open");
    const struct audit_object *at = audit_at(slot);
    if (!at)
        audit_die("the slot is not in an object");
    mem_ref *edge = (mem_ref *)(void *)slot;
    const mem_type *target;
    void *object = audit_load(audit_owner(at->at, edge, MEM_SLOT, &target), edge);
    if (object) {
        struct audit_object *o = audit_living(target, object);
        o->reads++;
        t->reads[t->read_count++] = audit_number(o);
    }
    audit_end();
    return object;
}
AUDIT_CALL void mem_slot_read_end(mem_thread *t, const mem_type *type, void *object) {
    audit_begin(t, "slot_read_end");
    if (object) {
        struct audit_object *o = audit_living(type, object);
        uint32_t i = 0;
        while (i < t->read_count && t->reads[i] != audit_number(o))
            i++;
        if (i == t->read_count)
            audit_die("the thread has no read of %s open", o->type->name);
        t->reads[i] = t->reads[--t->read_count];
        o->reads--;
        audit_reap(o);
    }
    audit_end();
}
AUDIT_CALL void mem_slot_swap(mem_thread *t, mem_scope *s, void *owner, mem_slot *slot,
                              const mem_type *type, void *object) {
    audit_begin(t, "slot_swap");
    audit_need(MEM_SLOTS, "SLOTS");
    mem_ref *edge = (mem_ref *)(void *)slot;
    const mem_type *target;
    struct audit_object *from = audit_owner(owner, edge, MEM_SLOT, &target);
    audit_disown(audit_replace(t, s, from, edge, target, type, object));
    audit_end();
}
