/* SPDX-License-Identifier: MIT */
/* library_arena.h - scopes over the arenas of a library that frees all at once: what APR's pools,
 * obstacks and jemalloc's arenas have in common.
 *
 * A strategy defines struct library_arena, includes this, and defines the library_ calls below. A
 * scope's last holder resets its arena and keeps it for its own next scope, up to LIBRARY_KEPT_MAX
 * a thread; the rest is closed. So arenas move between threads: a library's calls must be sound for
 * one user at a time, whichever thread that is. The holders' count orders them: its release pairs
 * with the acquire of the last holder.
 */
#include "memory/no_world.h"
#include "memory/plain_state.h"

#define LIBRARY_KEPT_MAX 16

struct mem_scope {
    struct library_arena arena;
    _Atomic uint32_t holders;
    mem_scope *next; /* kept */
};
struct mem_thread {
    mem_scope *kept;
    uint32_t kept_count;
};

/* Where memory runs out, new and resize give NULL, and open ends the run with what it wanted. An
 * arena that is reset is as good as new; close takes any. gives_much: whether a reset is a cause of
 * latency to be logged. resize keeps the old bytes' content, as far as it fits. */
static void library_open(struct library_arena *arena);
static void library_reset(struct library_arena *arena);
static void library_close(struct library_arena *arena);
MEM_INLINE bool library_gives_much(const struct library_arena *arena);
MEM_INLINE void *library_new(struct library_arena *arena, size_t bytes);
MEM_INLINE void *library_resize(struct library_arena *arena, void *object, size_t old_bytes,
                                size_t new_bytes);

/* A resize for libraries that cannot. */
MEM_INLINE void *library_move(struct library_arena *arena, void *object, size_t old_bytes,
                              size_t new_bytes) {
    if (new_bytes <= old_bytes)
        return object;
    void *moved = library_new(arena, new_bytes);
    return moved ? memcpy(moved, object, old_bytes) : NULL;
}

static mem_thread *mem_attach(void) {
    mem_thread *t = calloc(1, sizeof *t);
    if (!t)
        host_out_of_memory(sizeof *t);
    return t;
}
static void mem_detach(mem_thread *t) {
    for (mem_scope *s = t->kept, *next; s; s = next) {
        next = s->next;
        library_close(&s->arena);
        free(s);
    }
    free(t);
}

static __attribute__((noinline)) mem_scope *library_scope_new(void) {
    mem_scope *s = calloc(1, sizeof *s);
    if (!s)
        host_out_of_memory(sizeof *s);
    library_open(&s->arena);
    return s;
}

static inline mem_scope *mem_scope_begin(mem_thread *t) {
    mem_scope *s = t->kept;
    if (MEM_LIKELY(s)) {
        t->kept = s->next;
        t->kept_count--;
    } else {
        s = library_scope_new();
    }
    atomic_init(&s->holders, 1);
    return s;
}

static void library_scope_recycle(mem_thread *t, mem_scope *s) {
    if (t->kept_count == LIBRARY_KEPT_MAX) {
        library_close(&s->arena);
        free(s);
        return;
    }
    library_reset(&s->arena);
    s->next = t->kept;
    t->kept = s;
    t->kept_count++;
}

static inline void mem_scope_end(mem_thread *t, mem_scope *s) {
    /* acquire: pairs with the release below of the other holders; alone, nobody else can count */
    if (atomic_load_explicit(&s->holders, memory_order_acquire) != 1 &&
        atomic_fetch_sub_explicit(&s->holders, 1, memory_order_acq_rel) != 1)
        return;
    uint64_t begin_ns = library_gives_much(&s->arena) ? clock_now_ns() : 0;
    library_scope_recycle(t, s);
    if (begin_ns > 0)
        host_interval(MEM_CAUSE_ARENA_RESET, begin_ns, clock_now_ns());
}

static inline mem_parcel mem_send(mem_thread *t, mem_scope *s, const mem_type *type, void *object,
                                  uint32_t receivers) {
    (void)t, (void)type;
    /* relaxed: the queue that carries the parcel orders it */
    atomic_fetch_add_explicit(&s->holders, receivers - 1, memory_order_relaxed);
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
    void *object = library_new(&s->arena, mem_bytes(type, trailing_bytes));
    if (MEM_LIKELY(object))
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
    (void)t;
    object = library_resize(&s->arena, object, mem_bytes(type, old_trailing_bytes),
                            mem_bytes(type, new_trailing_bytes));
    if (!object)
        host_out_of_memory(mem_bytes(type, new_trailing_bytes));
    mem_clear_trailing(type, object, old_trailing_bytes / sizeof(mem_ref),
                       new_trailing_bytes / sizeof(mem_ref));
    return object;
}

/* What is replaced or dropped lives until the scope ends. */
#include "memory/no_reclaim.h"
