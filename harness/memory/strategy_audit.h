/* SPDX-License-Identifier: MIT */
/* strategy_audit.h - believes nothing: checks every fact that a scenario states about lifetimes.
 *
 * On a contradiction the run ends by host_violation with a sentence "audit: call: what is wrong".
 * A scenario that passes is a correct program for all strategies. What is checked:
 *
 *   threads     | calls on t's own thread, not in block; block and unblock in turn; all detached
 *   scopes      | one user at a time (begin, enter, receive; leave, send, end), ended once by each
 *               | holder; received as often as sent; nothing of it used after its end
 *   objects     | dropped once for each reference, before the scope's end; passed as what they are;
 *               | not used after; not written behind their end
 *   owned edges | written by set, take and swap only, inside one scope, to objects of their type
 *   slots       | at most MEM_READS_MAX reads, ended by their thread before it detaches and before
 *               | the scope does; a read may stay open across block: a stalled reader's does
 *   needs       | what SCENARIO_NEEDS leaves out is not used (RECLAIM cannot be told from outside)
 *   accesses    | in the audit preset (audit_trace.h): to living objects, inside them, not in
 *               | block, by the scope's user, or by any attached thread where the scope has slots,
 *               | kept objects or several receivers
 *
 * For tests, not for measurement: no address is used twice, so that a stale pointer is always known
 * as such, and what was dropped stays resident. All objects of a run together have
 * AUDIT_REGION_BYTES, and there are at most AUDIT_OBJECTS_MAX of them, AUDIT_SCOPES_MAX scopes, and
 * AUDIT_THREADS_MAX threads at a time; beyond that the run is out of memory. Dropped objects are
 * overwritten, so that what is read from them is wrong; resize always moves.
 */
#include "memory/audit_check.h"

AUDIT_CALL void mem_init(void) {
    audit_call = "init";
    if (audit.region)
        audit_die("called twice");
    audit_heap_init();
    audit_trace_install(audit_on_access);
    audit_call = "access";
}

AUDIT_CALL void mem_fini(void) {
    audit_call = "fini";
    for (uint32_t i = 0; i < AUDIT_THREADS_MAX; i++)
        if (audit.threads[i].serial)
            audit_die("thread %u was never detached", i);
    if (audit.scopes_open > 0)
        audit_die("%zu scopes were never ended", audit.scopes_open);
    if (audit.states)
        audit_die("state memory was never freed");
    audit_trace_install(NULL);
}

AUDIT_CALL void *mem_state_new(size_t bytes) {
    struct audit_state *state = calloc(1, sizeof *state + bytes);
    if (!state)
        host_out_of_memory(bytes);
    pthread_mutex_lock(&audit.lock);
    state->next = audit.states;
    if (state->next)
        state->next->prev = state;
    audit.states = state;
    pthread_mutex_unlock(&audit.lock);
    return state + 1;
}
AUDIT_CALL void mem_state_free(void *memory) {
    audit_call = "state_free";
    pthread_mutex_lock(&audit.lock);
    struct audit_state *state = audit.states;
    while (state && state + 1 != memory)
        state = state->next;
    if (!state)
        audit_die("this is no state memory, or was freed before");
    if (state->next)
        state->next->prev = state->prev;
    if (state->prev)
        state->prev->next = state->next;
    else
        audit.states = state->next;
    free(state);
    audit_end();
}

AUDIT_CALL mem_thread *mem_attach(void) {
    audit_call = "attach";
    if (audit_self)
        audit_die("the thread is attached already");
    pthread_mutex_lock(&audit.lock);
    uint32_t i = 0;
    while (i < AUDIT_THREADS_MAX && audit.threads[i].serial)
        i++;
    if (i == AUDIT_THREADS_MAX)
        audit_die("more than %u threads", AUDIT_THREADS_MAX);
    audit_self = &audit.threads[i];
    *audit_self = (mem_thread){.serial = ++audit.threads_ever, .number = i};
    audit_end();
    return audit_self;
}
AUDIT_CALL void mem_detach(mem_thread *t) {
    audit_begin(t, "detach");
    if (t->scopes > 0)
        audit_die("the thread is still the user of %u scopes", t->scopes);
    if (t->read_count > 0)
        audit_die("the thread has a slot read open");
    t->serial = 0;
    audit_self = NULL;
    audit_end();
}

AUDIT_CALL void mem_block(mem_thread *t) {
    audit_begin(t, "block");
    t->blocked = true;
    audit_end();
}
AUDIT_CALL void mem_unblock(mem_thread *t) {
    audit_lock(t, "unblock");
    if (!t->blocked)
        audit_die("the thread is not in block");
    t->blocked = false;
    audit_end();
}
AUDIT_CALL void mem_safepoint(mem_thread *t) {
    audit_begin(t, "safepoint");
    audit_end();
}

AUDIT_CALL mem_scope *mem_scope_begin(mem_thread *t) {
    audit_begin(t, "scope_begin");
    if (audit.scope_count == AUDIT_SCOPES_MAX)
        host_out_of_memory(sizeof(mem_scope));
    mem_scope *s = &audit.scopes[audit.scope_count++];
    s->creator = t->serial;
    s->holders = 1;
    audit.scopes_open++;
    audit_set_user(t, s, true);
    audit_end();
    return s;
}

/* What lives at the end are rings of owned references: an arena frees them, counts never do. */
AUDIT_CALL void audit_end_objects(mem_scope *s) {
    while (s->first) {
        struct audit_object *o = &audit.objects[s->first];
        const char *name = o->type->name;
        if (o->reads > 0)
            audit_die("a slot read of %s is still open", name);
        if (o->locals > 0)
            audit_die("%s was never dropped", name);
        if (!audit_declared(MEM_CYCLES))
            audit_die("%s is left in a ring, and the scenario does not declare MEM_CYCLES", name);
        audit_check_edges(o);
        audit_leave_scope(o);
        audit_erase(o);
    }
}
AUDIT_CALL void mem_scope_end(mem_thread *t, mem_scope *s) {
    audit_begin(t, "scope_end");
    audit_check_user(t, s);
    audit_set_user(t, s, false);
    if (--s->holders == 0) {
        audit_end_objects(s);
        s->ended = true;
        audit.scopes_open--;
    }
    audit_end();
}

AUDIT_CALL void mem_scope_enter(mem_thread *t, mem_scope *s) {
    audit_begin(t, "scope_enter");
    audit_check_open(s);
    if (s->parcels > 0)
        audit_die("the scope is on its way in a parcel");
    if (audit_has_user(s))
        audit_die("the scope has a user already");
    audit_join(t, s);
    audit_end();
}
AUDIT_CALL void mem_scope_leave(mem_thread *t, mem_scope *s) {
    audit_begin(t, "scope_leave");
    audit_check_user(t, s);
    audit_set_user(t, s, false);
    audit_end();
}

AUDIT_CALL mem_parcel mem_send(mem_thread *t, mem_scope *s, const mem_type *type, void *object,
                               uint32_t receivers) {
    audit_begin(t, "send");
    audit_check_user(t, s);
    if (receivers == 0)
        audit_die("there is no receiver");
    if (receivers > 1) {
        audit_need(MEM_SHARED, "SHARED");
        s->sent_to_many = true;
        audit_relax(s);
    }
    if (object) {
        struct audit_object *o = audit_living_in(s, type, object);
        audit_consume(o);
        o->parcels += receivers;
    }
    s->parcels += receivers;
    s->holders += receivers - 1;
    audit_set_user(t, s, false);
    audit_end();
    return (mem_parcel){.scope = s, .object = object};
}
AUDIT_CALL void *mem_receive(mem_thread *t, const mem_parcel *parcel, mem_scope **scope) {
    audit_begin(t, "receive");
    mem_scope *s = *scope = parcel->scope;
    audit_check_open(s);
    if (s->parcels == 0)
        audit_die("the parcel was received by all its receivers before");
    if (audit_is_user(t, s))
        audit_die("the thread is a user of the scope already");
    s->parcels--;
    audit_join(t, s);
    if (parcel->object) {
        struct audit_object *o = audit_living_in(s, NULL, parcel->object);
        if (o->parcels == 0)
            audit_die("%s was not sent, or received by all its receivers before", o->type->name);
        o->parcels--;
        o->locals++;
    }
    audit_end();
    return parcel->object;
}

#include "memory/audit_objects.h"
