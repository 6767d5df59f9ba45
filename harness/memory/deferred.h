/* SPDX-License-Identifier: MIT */
/* deferred.h - malloc with safe slots: what strategies that defer reclamation share.
 *
 * An object that never was in a slot is freed by drop at once, as under malloc. What a swap
 * replaces is retired: given to the library, and freed with all that it owns once the library knows
 * that no reader can hold it. So is what the slots of a freed object still hold, as it may be read
 * on. Objects have no room for the library's entry; a node from the heap has it, one for each
 * retired object. With malloc nodes count as memory, as in C++'s and folly's hazard pointers.
 *
 * Tunables: reclamation is attempted once `batch` objects were retired by a thread, by its next
 * swap or scope end. amortise=0 frees what is safe then at once; amortise=N at most N objects of
 * it, and as many by each later swap or scope end. A batch that frees more than MEM_CASCADE_OBJECTS
 * objects, owned ones included, is logged as a cause, with the search for what is safe.
 *
 *   thread exit | frees what is safe; what is not, stays with the mem_thread, which the next thread
 *               | that attaches takes over, debts and the library's record included
 *   mem_fini    | no reader is left: frees all
 *   who waits   | nobody but mem_fini: a swap never waits for readers, neither does a thread's exit
 *
 * The file that includes this one defines before it: deferred_entry, struct deferred_own (per
 * thread) and DEFERRED_BATCH; and after it the functions declared here, and the reads.
 */
#include "memory/no_keep.h"
#include "memory/no_world.h"
#include "memory/parcel.h"
#include "memory/plain_edges.h"
#include "memory/plain_state.h"
#include "memory/tsan.h"

#include <pthread.h>

struct deferred_node {
    deferred_entry entry;
    struct deferred_node *next;
    mem_thread *t; /* who retired it */
    const mem_type *type;
    void *object;
};
struct mem_thread {
    struct deferred_own own;
    struct deferred_node *safe; /* that no reader can hold */
    uint64_t gathered;          /* retired since reclamation was attempted */
    mem_thread *next;
    bool attached; /* under deferred.lock */
};
struct mem_scope {
    char unused;
};
static mem_scope deferred_scope;
static struct {
    pthread_mutex_t lock;
    mem_thread *threads; /* all that there ever were; under lock */
    uint64_t batch, amortise;
} deferred = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void deferred_open(void);                         /* of mem_init */
static void deferred_close(void);                        /* of mem_fini: after it all is safe */
static void deferred_enter(mem_thread *t, bool is_new);  /* of mem_attach */
static void deferred_exit(mem_thread *t);                /* of mem_detach */
static void deferred_submit(struct deferred_node *node); /* to the library */
static void deferred_collect(mem_thread *t);             /* puts into t->safe what is */
static bool deferred_has_safe(mem_thread *t);

static void deferred_retire(mem_thread *t, const mem_type *type, void *object) {
    struct deferred_node *node = malloc(sizeof *node);
    if (!node)
        host_out_of_memory(sizeof *node);
    node->t = t;
    node->type = type;
    node->object = object;
    t->gathered++;
    deferred_submit(node);
}

/* t: NULL where no reader can hold what the slots hold either, so that it is dropped. */
MEM_INLINE void mem_give_up_slots(mem_thread *t, const mem_type *type, void *object) {
    uint32_t trailing = type->trailing_edge && type->trailing_edge->kind == MEM_SLOT
                            ? *mem_trailing_count(type, object)
                            : 0;
    for (uint32_t i = 0; i < type->edge_count + trailing; i++) {
        bool fixed = i < type->edge_count;
        const mem_edge *edge = fixed ? &type->edges[i] : type->trailing_edge;
        mem_ref *at = fixed ? mem_edge_at(object, edge->offset)
                            : &mem_trailing(type, object)[i - type->edge_count];
        void *held = edge->kind == MEM_SLOT ? mem_get(at) : NULL;
        if (held && t) {
            mem_put(at, NULL);
            deferred_retire(t, edge->type, held);
        } else if (held) {
            TSAN_ACQUIRE(held); /* as in deferred_free */
        }
    }
}

#include "memory/plain_malloc.h"

static void deferred_free(mem_thread *t, struct deferred_node **safe, uint64_t at_most,
                          uint64_t begin_ns) {
    struct mem_cascade cascade = {.begin_ns = begin_ns};
    for (uint64_t i = 0; i < at_most && *safe; i++) {
        struct deferred_node *node = *safe;
        *safe = node->next;
        TSAN_ACQUIRE(node->object); /* the ends of its reads, which come before: the library says */
        plain_free_linked(t, &deferred_scope, node->type, node->object, &cascade);
        free(node);
    }
    if (cascade.count > MEM_CASCADE_OBJECTS)
        host_interval(MEM_CAUSE_BATCH_FREE, cascade.begin_ns, clock_now_ns());
}

static __attribute__((noinline)) void deferred_reclaim(mem_thread *t) {
    uint64_t begin_ns = 0;
    if (t->gathered >= deferred.batch) {
        begin_ns = deferred.batch >= MEM_CASCADE_OBJECTS ? clock_now_ns() : 0;
        t->gathered = 0;
        deferred_collect(t);
    }
    if (deferred_has_safe(t))
        deferred_free(t, &t->safe, deferred.amortise ? deferred.amortise : UINT64_MAX, begin_ns);
}
MEM_INLINE void deferred_step(mem_thread *t) {
    if (t->gathered >= deferred.batch || deferred_has_safe(t))
        deferred_reclaim(t);
}

static void mem_init(void) {
    deferred.batch = host_tune("batch", DEFERRED_BATCH);
    deferred.batch += deferred.batch == 0;
    deferred.amortise = host_tune("amortise", 0);
    deferred_open();
}
static void mem_fini(void) {
    deferred_close();
    for (mem_thread *t = deferred.threads; t; t = t->next) { /* each looks at all records */
        deferred_collect(t);
        while (deferred_has_safe(t))
            deferred_free(NULL, &t->safe, UINT64_MAX, 0);
    }
    while (deferred.threads) {
        mem_thread *t = deferred.threads;
        deferred.threads = t->next;
        free(t);
    }
}

static mem_thread *mem_attach(void) {
    pthread_mutex_lock(&deferred.lock);
    mem_thread *t = deferred.threads;
    while (t && t->attached)
        t = t->next;
    bool is_new = !t;
    if (is_new) {
        t = aligned_alloc(_Alignof(mem_thread), sizeof *t);
        if (!t)
            host_out_of_memory(sizeof *t);
        memset(t, 0, sizeof *t);
        t->next = deferred.threads;
        deferred.threads = t;
    }
    t->attached = true;
    deferred_enter(t, is_new);
    pthread_mutex_unlock(&deferred.lock);
    return t;
}
static void mem_detach(mem_thread *t) {
    do { /* again: what freed objects had in slots */
        t->gathered = 0;
        deferred_collect(t);
        while (deferred_has_safe(t))
            deferred_free(t, &t->safe, UINT64_MAX, 0);
    } while (t->gathered > 0);
    deferred_exit(t);
    pthread_mutex_lock(&deferred.lock);
    t->attached = false;
    pthread_mutex_unlock(&deferred.lock);
}

static inline mem_scope *mem_scope_begin(mem_thread *t) {
    (void)t;
    return &deferred_scope;
}
static inline void mem_scope_end(mem_thread *t, mem_scope *s) {
    (void)s;
    deferred_step(t);
}

MEM_INLINE void *deferred_load(mem_slot *slot) {
    /* acquire: pairs with the release in mem_slot_swap */
    return (void *)(uintptr_t)atomic_load_explicit(&slot->word, memory_order_acquire);
}
static inline void mem_slot_swap(mem_thread *t, mem_scope *s, void *owner, mem_slot *slot,
                                 const mem_type *type, void *object) {
    (void)s, (void)owner;
    /* release: pairs with the acquire in deferred_load; acquire: with the swap that wrote what is
     * replaced; sequentially consistent: comes before the library looks for readers */
    uint64_t old =
        atomic_exchange_explicit(&slot->word, (uint64_t)(uintptr_t)object, memory_order_seq_cst);
    if (old)
        deferred_retire(t, type, (void *)(uintptr_t)old);
    deferred_step(t);
}

/* The place of a thread's open read of the object; of NULL: of a read to come. */
MEM_INLINE uint32_t deferred_place(void *const *reads, const void *object) {
    for (uint32_t i = 0; i < MEM_READS_MAX; i++)
        if (reads[i] == object)
            return i;
    host_violation("slot reads: one ends that is not open, or MEM_READS_MAX are open already");
}
