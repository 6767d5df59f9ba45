/* SPDX-License-Identifier: MIT */
/* strategy_refcount_cycle.h - atomic reference counts that find dropped rings by trial deletion
 * (Bacon, Rajan, "Concurrent Cycle Collection in Reference Counted Systems", 2001; the synchronous
 * variant).
 *
 * An object that loses a reference but not its last may be in a dropped ring: it becomes a
 * candidate of its scope, unless its type has no edges (green in the paper). A reference that set
 * or swap moves into an edge is lost to the program as well; then the object is a candidate where
 * the edge may close a ring: its owner has been owned, and the object owns. With `roots`
 * candidates in a scope the drop at hand searches what they reach (refcount_cycle_trial.h); so does
 * the end of the scope. A search is for the scope's only holder: one that was sent to several
 * receivers waits for the last of them.
 *
 * In one atomic word: the count, CYCLE_BUFFERED for a candidate, and above them the number of
 * counts up, which shows a search that the count changed although it is the same again. Candidates
 * are a list that any thread may push to. CYCLE_BUFFERED comes with the count down that makes the
 * candidate, so that the object lasts until a search has taken it from the list, even if its count
 * falls to zero. Whoever drops the last reference as the scope's user empties it at once; a reader
 * (slot_read_end) leaves it whole, as a search may be at its edges.
 *
 * Orders of the counts: as in strategy_refcount.h.
 */
#include "memory/no_world.h"
#include "memory/plain_state.h"

#define CYCLE_BUFFERED ((uint64_t)1 << 32)
#define CYCLE_ADDED ((uint64_t)1 << 33)
#define CYCLE_POINTER_BITS 48
#define CYCLE_OWNED 1u /* an owned edge or slot held it once */
#define CYCLE_OWNS 2u  /* one of its own held an object with edges once */

/* Objects without edges have the word alone. */
struct cycle_header {
    uint32_t node;         /* during a search: its place there, from 1 */
    uint32_t edges;        /* CYCLE_OWNED, CYCLE_OWNS: sticky, by the scope's user */
    _Atomic uint64_t link; /* the object's scope, or while CYCLE_BUFFERED the next candidate */
    _Atomic uint64_t word;
};
struct mem_scope {
    _Atomic uint64_t candidates; /* the first: its address, above 48 bits its type's id */
    _Atomic uint32_t candidate_count, holders;
};
struct cycle_node {
    void *object;
    const mem_type *type;
    uint64_t word; /* as first read */
    uint32_t internal, next_black;
    bool root, black;
};
struct mem_thread {
    bool dropping; /* within a drop, where objects are half emptied */
    struct cycle_node *nodes;
    uint32_t count, capacity;
};
static uint32_t cycle_roots_max;
static _Atomic(const mem_type *) cycle_types[MEM_TYPES_MAX]; /* of candidates, by id */

static void mem_init(void) {
    uint64_t roots = host_tune("roots", 1024);
    cycle_roots_max = roots < UINT32_MAX ? (uint32_t)roots : UINT32_MAX;
}
static void mem_fini(void) {}
static mem_thread *mem_attach(void) {
    return mem_state_new(sizeof(mem_thread));
}
static void mem_detach(mem_thread *t) {
    free(t->nodes);
    mem_state_free(t);
}

MEM_INLINE struct cycle_header *cycle_of(void *object) {
    return (struct cycle_header *)object - 1;
}
MEM_INLINE _Atomic uint64_t *cycle_word(void *object) {
    return (_Atomic uint64_t *)object - 1;
}
MEM_INLINE size_t cycle_header_bytes(const mem_type *type) {
    return mem_has_edges(type) ? sizeof(struct cycle_header) : sizeof(uint64_t);
}
MEM_INLINE void *cycle_base(const mem_type *type, void *object) {
    return (char *)object - cycle_header_bytes(type);
}
MEM_INLINE uint32_t cycle_count(uint64_t word) {
    return (uint32_t)word;
}

MEM_INLINE void count_add(mem_thread *t, void *object, uint32_t n) {
    (void)t;
    atomic_fetch_add_explicit(cycle_word(object), n + CYCLE_ADDED, memory_order_relaxed);
}
/* relaxed, and makes no candidate: the thread drops one more after it */
MEM_INLINE void count_sub(mem_thread *t, void *object, uint32_t n) {
    (void)t;
    atomic_fetch_sub_explicit(cycle_word(object), n, memory_order_relaxed);
}

/* Pushes an object whose CYCLE_BUFFERED the caller has set. */
static void cycle_push(mem_scope *s, const mem_type *type, void *object) {
    if (atomic_load_explicit(&cycle_types[type->id], memory_order_relaxed) != type)
        atomic_store_explicit(&cycle_types[type->id], type, memory_order_relaxed);
    uint64_t one = (uint64_t)(uintptr_t)object | (uint64_t)type->id << CYCLE_POINTER_BITS;
    uint64_t head = atomic_load_explicit(&s->candidates, memory_order_relaxed);
    do
        atomic_store_explicit(&cycle_of(object)->link, head, memory_order_relaxed);
    /* release: pairs with the acquire in cycle_take_roots */
    while (!atomic_compare_exchange_weak_explicit(&s->candidates, &head, one, memory_order_release,
                                                  memory_order_relaxed));
    /* relaxed, and one may be lost: it only delays a search */
    uint32_t count = atomic_load_explicit(&s->candidate_count, memory_order_relaxed);
    atomic_store_explicit(&s->candidate_count, count + 1, memory_order_relaxed);
}

/* A reference is given back to an object with edges. LAST: to be emptied and freed by the caller.
 * ZERO: to be emptied, a search frees it. */
enum cycle_fate { CYCLE_HELD, CYCLE_LAST, CYCLE_ZERO };
MEM_INLINE enum cycle_fate cycle_release(const mem_type *type, void *object) {
    struct cycle_header *h = cycle_of(object);
    uint64_t old = atomic_load_explicit(&h->word, memory_order_acquire), new;
    do {
        if (cycle_count(old) == 1 && !(old & CYCLE_BUFFERED))
            return CYCLE_LAST;
        new = old - 1;
        if (cycle_count(new) > 0)
            new |= CYCLE_BUFFERED;
        /* release and acquire: pair with each other; also with those of cycle_unbuffer, for the
         * link */
    } while (!atomic_compare_exchange_weak_explicit(&h->word, &old, new, memory_order_acq_rel,
                                                    memory_order_acquire));
    if (new & ~old & CYCLE_BUFFERED) {
        uint64_t scope = atomic_load_explicit(&h->link, memory_order_relaxed);
        cycle_push((mem_scope *)(uintptr_t)scope, type, object);
    }
    return cycle_count(new) > 0 ? CYCLE_HELD : CYCLE_ZERO;
}
/* The same for one without edges; true for the last. */
MEM_INLINE bool cycle_release_flat(void *object) {
    _Atomic uint64_t *word = cycle_word(object);
    return cycle_count(atomic_load_explicit(word, memory_order_acquire)) == 1 ||
           cycle_count(atomic_fetch_sub_explicit(word, 1, memory_order_acq_rel)) == 1;
}

#include "memory/split_slots.h"

#include "memory/refcount_cycle_trial.h"

/* Searches if it is time, by the scope's user. */
static inline void cycle_poll(mem_thread *t, mem_scope *s) {
    /* relaxed: may be late; acquire: pairs with the release of those who ended the scope */
    if (atomic_load_explicit(&s->candidate_count, memory_order_relaxed) >= cycle_roots_max &&
        atomic_load_explicit(&s->holders, memory_order_acquire) == 1)
        cycle_collect(t, s);
}

/* s: NULL for a reader, who need not be the scope's user. */
static __attribute__((unused)) void cycle_drop_linked(mem_thread *t, mem_scope *s,
                                                      const mem_type *type, void *object) {
    bool outermost = !t->dropping;
    struct mem_cascade cascade = {0};
    t->dropping = true;
    while (object && mem_has_edges(type)) {
        const mem_type *of = type;
        enum cycle_fate fate = cycle_release(of, object);
        if (fate == CYCLE_HELD || (fate == CYCLE_ZERO && !s)) {
            object = NULL;
            break;
        }
        mem_cascade_step(&cascade, of, object);
        void *rest = mem_shed(t, s, &type, object);
        if (fate == CYCLE_LAST)
            free(cycle_of(object));
        else
            mem_clear_edges(of, object, 0);
        object = rest;
    }
    if (object && cycle_release_flat(object))
        free(cycle_base(type, object));
    mem_cascade_end(&cascade);
    if (!outermost)
        return;
    t->dropping = false;
    if (s)
        cycle_poll(t, s);
}

MEM_INLINE void mem_drop(mem_thread *t, mem_scope *s, const mem_type *type, void *object) {
    if (mem_has_edges(type))
        cycle_drop_linked(t, s, type, object);
    else if (object && cycle_release_flat(object))
        free(cycle_base(type, object));
}
static inline void mem_slot_read_end(mem_thread *t, const mem_type *type, void *object) {
    mem_drop(t, NULL, type, object);
}

/* Before a reference to an object moves into an edge of owner. */
MEM_INLINE void cycle_link(mem_scope *s, void *owner, const mem_type *type, void *object) {
    if (!mem_has_edges(type) || !object)
        return;
    struct cycle_header *h = cycle_of(object), *from = cycle_of(owner);
    from->edges |= CYCLE_OWNS;
    h->edges |= CYCLE_OWNED;
    /* acquire: as in cycle_release */
    if (from->edges & CYCLE_OWNED && h->edges & CYCLE_OWNS &&
        !(atomic_fetch_or_explicit(&h->word, CYCLE_BUFFERED, memory_order_acquire) &
          CYCLE_BUFFERED))
        cycle_push(s, type, object);
}
static inline void mem_set(mem_thread *t, mem_scope *s, void *owner, mem_ref *edge,
                           const mem_type *type, void *object) {
    cycle_link(s, owner, type, object);
    void *old = mem_get(edge);
    mem_put(edge, object);
    mem_drop(t, s, type, old);
    if (mem_has_edges(type))
        cycle_poll(t, s);
}
static inline void *mem_take(mem_thread *t, void *owner, mem_ref *edge) {
    (void)t, (void)owner;
    void *object = mem_get(edge);
    mem_put(edge, NULL);
    return object;
}
static inline void mem_slot_swap(mem_thread *t, mem_scope *s, void *owner, mem_slot *slot,
                                 const mem_type *type, void *object) {
    cycle_link(s, owner, type, object);
    split_swap(t, s, slot, type, object);
    if (mem_has_edges(type))
        cycle_poll(t, s);
}

static inline mem_scope *mem_scope_begin(mem_thread *t) {
    (void)t;
    mem_scope *s = malloc(sizeof *s);
    if (!s)
        host_out_of_memory(sizeof *s);
    atomic_init(&s->candidates, 0);
    atomic_init(&s->candidate_count, 0);
    atomic_init(&s->holders, 1);
    return s;
}
static inline void mem_scope_end(mem_thread *t, mem_scope *s) {
    /* acquire: pairs with the release below of the other holders; alone, nobody else can count */
    if (atomic_load_explicit(&s->holders, memory_order_acquire) != 1 &&
        atomic_fetch_sub_explicit(&s->holders, 1, memory_order_acq_rel) != 1)
        return;
    /* relaxed: all references are dropped, so nobody pushes */
    while (atomic_load_explicit(&s->candidates, memory_order_relaxed))
        cycle_collect(t, s);
    free(s);
}
static inline mem_parcel mem_send(mem_thread *t, mem_scope *s, const mem_type *type, void *object,
                                  uint32_t receivers) {
    (void)type;
    if (receivers > 1) {
        /* relaxed: the queue that carries the parcel orders it */
        atomic_fetch_add_explicit(&s->holders, receivers - 1, memory_order_relaxed);
        if (object)
            count_add(t, object, receivers - 1);
    }
    return (mem_parcel){.scope = s, .object = object};
}
static inline void *mem_receive(mem_thread *t, const mem_parcel *parcel, mem_scope **s) {
    (void)t;
    *s = parcel->scope;
    return parcel->object;
}

MEM_INLINE void *mem_try_new(mem_thread *t, mem_scope *s, const mem_type *type,
                             size_t trailing_bytes) {
    (void)t;
    char *base = malloc(cycle_header_bytes(type) + mem_bytes(type, trailing_bytes));
    if (!MEM_LIKELY(base))
        return NULL;
    void *object = base + cycle_header_bytes(type);
    atomic_init(cycle_word(object), 1);
    if (mem_has_edges(type)) {
        cycle_of(object)->node = cycle_of(object)->edges = 0;
        atomic_init(&cycle_of(object)->link, (uint64_t)(uintptr_t)s);
        mem_clear_edges(type, object, trailing_bytes);
    }
    return object;
}

/* A candidate cannot move: its content does, and it is left to a search with no edges. */
static __attribute__((noinline, unused)) void *cycle_move(mem_thread *t, mem_scope *s,
                                                          const mem_type *type, void *object,
                                                          size_t kept_bytes, size_t new_bytes) {
    void *moved = mem_try_new(t, s, type, new_bytes);
    if (!moved)
        host_out_of_memory(mem_bytes(type, new_bytes));
    memcpy(moved, object, mem_bytes(type, kept_bytes));
    cycle_of(moved)->edges = cycle_of(object)->edges;
    mem_clear_edges(type, object, 0);
    mem_drop(t, s, type, object);
    return moved;
}

MEM_INLINE void *mem_resize(mem_thread *t, mem_scope *s, const mem_type *type, void *object,
                            size_t old_trailing_bytes, size_t new_trailing_bytes) {
    size_t kept_bytes =
        old_trailing_bytes < new_trailing_bytes ? old_trailing_bytes : new_trailing_bytes;
    /* relaxed: a candidate of this scope, whose user the caller is */
    uint64_t word = atomic_load_explicit(cycle_word(object), memory_order_relaxed);
    assert(cycle_count(word) == 1);
    if (mem_has_edges(type) && word & CYCLE_BUFFERED) {
        object = cycle_move(t, s, type, object, kept_bytes, new_trailing_bytes);
    } else {
        char *base = realloc(cycle_base(type, object),
                             cycle_header_bytes(type) + mem_bytes(type, new_trailing_bytes));
        if (!base)
            host_out_of_memory(mem_bytes(type, new_trailing_bytes));
        object = base + cycle_header_bytes(type);
    }
    mem_clear_trailing(type, object, old_trailing_bytes / sizeof(mem_ref),
                       new_trailing_bytes / sizeof(mem_ref));
    return object;
}

#include "memory/counted.h"
