/* SPDX-License-Identifier: MIT */
/* strategy_malloc.h - malloc and free of single objects by their owner, as C programs do by hand.
 */
#include "memory/no_keep.h"
#include "memory/no_slots.h"
#include "memory/no_world.h"
#include "memory/parcel.h"
#include "memory/plain_edges.h"
#include "memory/plain_malloc.h"
#include "memory/plain_state.h"

struct mem_thread {
    char unused;
};
struct mem_scope {
    char unused;
};
static mem_thread malloc_thread;
static mem_scope malloc_scope;

static void mem_init(void) {}
static void mem_fini(void) {}
static mem_thread *mem_attach(void) {
    return &malloc_thread;
}
static void mem_detach(mem_thread *t) {
    (void)t;
}
static inline mem_scope *mem_scope_begin(mem_thread *t) {
    (void)t;
    return &malloc_scope;
}
static inline void mem_scope_end(mem_thread *t, mem_scope *s) {
    (void)t, (void)s;
}
