/* SPDX-License-Identifier: MIT */
/* strategy_none.h - the null control: no allocation work, only free stacks per type in reserved
 * pages.
 *
 * Each type has a reserved stretch of address space from which blocks of its greatest size are cut
 * once; a scope keeps the blocks that were dropped in it and is itself used again with them. So
 * after warm-up `new` is a pop and `drop` a push. Blocks are as large as the type can get, so
 * resize does nothing; what that costs in memory is this strategy's own and no claim about any
 * other. A thread keeps at most NONE_SCOPES_MAX idle scopes, the rest wait in a list that all
 * threads share.
 */
#include "memory/no_keep.h"
#include "memory/no_slots.h"
#include "memory/no_world.h"
#include "memory/parcel.h"
#include "memory/plain_edges.h"
#include "memory/plain_state.h"

#include <pthread.h>
#include <sys/mman.h>

#define NONE_SCOPES_MAX 8
#define NONE_RESERVE_BYTES ((size_t)256 << 30)
#define NONE_CUT_BYTES ((size_t)64 << 10)

struct none_free {
    struct none_free *next;
};
struct none_stack {
    struct none_free *top;
    char *at, *end; /* blocks of this type that were cut for this scope and never used yet */
};
struct mem_scope {
    struct none_stack stacks[MEM_TYPES_MAX];
    mem_scope *next;
};
struct mem_thread {
    mem_scope *idle;
    uint32_t idle_count;
};
static struct {
    char *base;
    _Atomic size_t used_bytes;
    pthread_mutex_t lock;
    mem_scope *idle; /* under lock */
} none = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void mem_init(void) {
    none.base = mmap(NULL, NONE_RESERVE_BYTES, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (none.base == MAP_FAILED)
        host_out_of_memory(NONE_RESERVE_BYTES);
}
static void mem_fini(void) {
    munmap(none.base, NONE_RESERVE_BYTES);
}

/* relaxed: only the number is shared; who may use the bytes follows from the scope */
static void *none_cut(size_t bytes) {
    size_t at = atomic_fetch_add_explicit(&none.used_bytes, bytes, memory_order_relaxed);
    return at + bytes <= NONE_RESERVE_BYTES ? none.base + at : NULL;
}

static mem_thread *mem_attach(void) {
    return mem_state_new(sizeof(mem_thread));
}

static void none_share_idle(mem_thread *t, uint32_t until) {
    pthread_mutex_lock(&none.lock);
    while (t->idle_count > until) {
        mem_scope *s = t->idle;
        t->idle = s->next;
        t->idle_count--;
        s->next = none.idle;
        none.idle = s;
    }
    pthread_mutex_unlock(&none.lock);
}
static void mem_detach(mem_thread *t) {
    none_share_idle(t, 0);
    mem_state_free(t);
}

static mem_scope *none_shared_scope(void) {
    pthread_mutex_lock(&none.lock);
    mem_scope *s = none.idle;
    if (s)
        none.idle = s->next;
    pthread_mutex_unlock(&none.lock);
    if (!s && !(s = none_cut(sizeof *s)))
        host_out_of_memory(sizeof *s);
    return s;
}

static inline mem_scope *mem_scope_begin(mem_thread *t) {
    mem_scope *s = t->idle;
    if (!MEM_LIKELY(s))
        return none_shared_scope();
    t->idle = s->next;
    t->idle_count--;
    return s;
}
static inline void mem_scope_end(mem_thread *t, mem_scope *s) {
    s->next = t->idle;
    t->idle = s;
    if (++t->idle_count > NONE_SCOPES_MAX)
        none_share_idle(t, NONE_SCOPES_MAX / 2);
}

static __attribute__((noinline)) void *none_fresh(struct none_stack *stack, size_t bytes) {
    if ((size_t)(stack->end - stack->at) < bytes) {
        size_t cut_bytes = bytes > NONE_CUT_BYTES ? bytes : NONE_CUT_BYTES;
        stack->at = none_cut(cut_bytes);
        if (!stack->at)
            return stack->end = NULL;
        stack->end = stack->at + cut_bytes;
    }
    void *object = stack->at;
    stack->at += bytes;
    return object;
}

MEM_INLINE void *mem_try_new(mem_thread *t, mem_scope *s, const mem_type *type,
                             size_t trailing_bytes) {
    (void)t;
    struct none_stack *stack = &s->stacks[type->id];
    void *object = stack->top;
    if (MEM_LIKELY(object))
        stack->top = stack->top->next;
    else if (!(object = none_fresh(stack, mem_bytes(type, type->trailing_max))))
        return NULL;
    mem_clear_edges(type, object, trailing_bytes);
    return object;
}

MEM_INLINE void *mem_new(mem_thread *t, mem_scope *s, const mem_type *type, size_t trailing_bytes) {
    void *object = mem_try_new(t, s, type, trailing_bytes);
    if (MEM_LIKELY(object))
        return object;
    host_out_of_memory(mem_bytes(type, trailing_bytes));
}

MEM_INLINE void *mem_resize(mem_thread *t, mem_scope *s, const mem_type *type, void *object,
                            size_t old_trailing_bytes, size_t new_trailing_bytes) {
    (void)t, (void)s;
    mem_clear_trailing(type, object, old_trailing_bytes / sizeof(mem_ref),
                       new_trailing_bytes / sizeof(mem_ref));
    return object;
}

MEM_INLINE void none_push(mem_scope *s, const mem_type *type, void *object) {
    struct none_free *free = object;
    free->next = s->stacks[type->id].top;
    s->stacks[type->id].top = free;
}

static __attribute__((unused)) void none_drop_linked(mem_thread *t, mem_scope *s,
                                                     const mem_type *type, void *object) {
    struct mem_cascade cascade = {0};
    while (object) {
        const mem_type *of = type;
        mem_cascade_step(&cascade, type, object);
        void *rest = mem_shed(t, s, &type, object);
        none_push(s, of, object);
        object = rest;
    }
    mem_cascade_end(&cascade);
}

MEM_INLINE void mem_drop(mem_thread *t, mem_scope *s, const mem_type *type, void *object) {
    if (mem_has_edges(type))
        none_drop_linked(t, s, type, object);
    else if (object)
        none_push(s, type, object);
}
