/* SPDX-License-Identifier: MIT */
/* mem.h - lifetime interface. A scenario states every lifetime fact; a strategy uses those it
 * needs.
 *
 * Unless said otherwise a call is made on t's own thread, takes no lock that the caller can see,
 * and returns no errors: running out of memory ends the run as a result (host_out_of_memory). Sizes
 * are in bytes. Objects are aligned to 8 bytes.
 *
 *   who may call      | anything on a scope: its user (one at a time, see enter); keep: a holder
 *   who must attach   | every thread that calls anything but mem_init, mem_fini and mem_state_*
 *   who frees         | the holder of the last owned reference by drop, or the scope's end
 *   what blocks       | unblock, safepoint, scope end, attach and detach may wait for a collector
 *
 * Owned references: new, keep, receive and slot_read give one; drop, send, set and slot_swap
 * consume one, slot_read_end gives a slot_read's back. They may be held in C locals, in OWNED edges
 * and in memory from mem_state_new, nowhere else: a collector looks for its roots there. A scope's
 * objects are all dropped, or owned by others of the scope, before it ends (an arena frees them
 * then); owned edges join objects of one scope.
 */
#ifndef TAILRACE_MEMORY_MEM_H
#define TAILRACE_MEMORY_MEM_H

#include "base/clock.h"
#include "memory/host.h"
#include "memory/needs.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Nobody uses every call, and some strategies not every helper. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"

/* Types. Edges are `mem_ref` members: read by mem_get, written by set and take (OWNED), mem_link
 * (BORROWED: never dropped, traced by collectors) or the slot calls (SLOT: a mem_slot member).
 * Trailing bytes follow the fixed part; trailing_max limits them (0: none). With trailing_edge they
 * are an array of mem_ref of that kind, and the uint32_t member at count_offset holds their number:
 * mem_new and mem_resize write it. Ids are unique within a scenario. drop follows the last edge
 * that holds an object in a loop and the others by recursion: list the edge of a long chain last.
 */
enum mem_edge_kind { MEM_OWNED, MEM_BORROWED, MEM_SLOT };
typedef void *mem_ref;
typedef struct mem_edge {
    uint32_t offset;
    enum mem_edge_kind kind;
    const struct mem_type *type;
} mem_edge;
typedef struct mem_type {
    const char *name;
    uint32_t id, size, trailing_max, edge_count;
    const mem_edge *edges;
    const mem_edge *trailing_edge;
    uint32_t count_offset;
} mem_type;
#define MEM_TYPES_MAX 16

typedef struct mem_thread mem_thread;
typedef struct mem_scope mem_scope;
/* A scope on its way to other threads, with the object they shall find. Keep it in mem_state
 * memory. */
typedef struct mem_parcel {
    mem_scope *scope;
    void *object;
} mem_parcel;
/* An edge that is read by other threads while it is replaced. */
typedef struct mem_slot {
    _Atomic(uint64_t) word;
} mem_slot;

/* Process: init once before any other call, fini after the last thread has detached. State memory
 * is zeroed, belongs to no scope and may hold owned references and scopes; the caller frees it. */
static void mem_init(void);
static void mem_fini(void);
static void *mem_state_new(size_t bytes);
static void mem_state_free(void *state);

/* Threads. Between block and unblock, t touches no object: a collector may run. A safepoint is
 * where the thread can be stopped: never under a lock unless those who wait for the lock are in
 * block. */
static mem_thread *mem_attach(void);
static void mem_detach(mem_thread *t);
static inline void mem_block(mem_thread *t);
static inline void mem_unblock(mem_thread *t);
static inline void mem_safepoint(mem_thread *t);

/* Scopes. begin makes t the user. A scope that several threads use in turn under a lock is left and
 * entered within that lock. send hands scope and object to `receivers` threads, each of which
 * receives and ends it once (or sends it on); the sender is then neither user nor holder. With more
 * than one receiver the objects are shared (MEM_SHARED). end is a safepoint. */
static inline mem_scope *mem_scope_begin(mem_thread *t);
static inline void mem_scope_end(mem_thread *t, mem_scope *s);
static inline void mem_scope_enter(mem_thread *t, mem_scope *s);
static inline void mem_scope_leave(mem_thread *t, mem_scope *s);
static inline mem_parcel mem_send(mem_thread *t, mem_scope *s, const mem_type *type, void *object,
                                  uint32_t receivers);
static inline void *mem_receive(mem_thread *t, const mem_parcel *parcel, mem_scope **s);

/* Objects. new and resize give NULL edges, other bytes are undefined; try_new returns NULL where
 * memory ran out. resize changes the trailing bytes of an object that has one reference and may
 * move it. drop gives one reference back and, with the last, those that the object owns. NULL is
 * dropped without effect. */
static inline void *mem_new(mem_thread *t, mem_scope *s, const mem_type *type,
                            size_t trailing_bytes);
static inline void *mem_try_new(mem_thread *t, mem_scope *s, const mem_type *type,
                                size_t trailing_bytes);
static inline void *mem_resize(mem_thread *t, mem_scope *s, const mem_type *type, void *object,
                               size_t old_trailing_bytes, size_t new_trailing_bytes);
static inline void *mem_keep(mem_thread *t, const mem_type *type, void *object);
static inline void mem_drop(mem_thread *t, mem_scope *s, const mem_type *type, void *object);

/* Owned edges. set drops what the edge held and stores object (or NULL), consuming the caller's
 * reference; take moves the reference out of the edge to the caller. type: of the edge's target. */
static inline void mem_set(mem_thread *t, mem_scope *s, void *owner, mem_ref *edge,
                           const mem_type *type, void *object);
static inline void *mem_take(mem_thread *t, void *owner, mem_ref *edge);

/* Slots (MEM_SLOTS). read gives what the slot holds, or NULL, safe from reclamation until read_end
 * by the same thread; a thread has at most MEM_READS_MAX reads open. swap publishes object (or
 * NULL) and gives up the one it replaces; s is the scope of both and the caller its user. */
#define MEM_READS_MAX 8
static inline void *mem_slot_read(mem_thread *t, mem_slot *slot);
static inline void mem_slot_read_end(mem_thread *t, const mem_type *type, void *object);
static inline void mem_slot_swap(mem_thread *t, mem_scope *s, void *owner, mem_slot *slot,
                                 const mem_type *type, void *object);

/* Loads and borrowed stores. Relaxed: they order nothing, and compile to plain moves; atomic
 * because a concurrent collector reads edges while the program writes them. */
static inline void *mem_get(const mem_ref *edge) {
    return __atomic_load_n(edge, __ATOMIC_RELAXED);
}
static inline void mem_put(mem_ref *edge, void *object) {
    __atomic_store_n(edge, object, __ATOMIC_RELAXED);
}
static inline void mem_link(mem_ref *edge, void *object) {
    mem_put(edge, object);
}

#include "memory/edges.h"

#include MEM_STRATEGY_HEADER

#pragma GCC diagnostic pop

#endif
