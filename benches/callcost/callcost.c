/* SPDX-License-Identifier: MIT */
/* callcost.c - what an object costs under one strategy: compiled once for each.
 *
 * Objects have no edges, so a collector need not look into them. Those handed over are owned by a
 * table, which the receiver drops: how they are then released is the strategy's own. The host is
 * one that only counts a collector's stops.
 */
#include "meter.h"
#include "touch.h"

#include "memory/mem.h"

static const struct {
    const char *name, *family;
} strategy_of[] = {
#define STRATEGY(id, name, family, ...) {"callcost-" name, family},
#include "memory/strategies.def"
#undef STRATEGY
};
enum {
#define STRATEGY(id, ...) index_of_##id,
#include "memory/strategies.def"
#undef STRATEGY
};
#define STRATEGY_OF strategy_of[MEM_PASTE(index_of_, MEM_STRATEGY_ID)]
#define IS_OF(of_family) (strcmp(STRATEGY_OF.family, of_family) == 0)

#define SUBJECT_NAME STRATEGY_OF.name
#define SUBJECT_EACH ((MEM_PROVIDES & MEM_RECLAIM) != 0)
#define SUBJECT_SCOPE IS_OF("arena") /* all others must drop what is in a scope before its end */
#define SUBJECT_HANDOFF ((MEM_PROVIDES & MEM_HANDOFF) != 0)
#define SUBJECT_KEEP ((MEM_PROVIDES & MEM_SHARED) != 0)
#define SUBJECT_STOPS (IS_OF("collector") ? subject_stops : NULL)

struct table {
    uint32_t count, unused;
};
#define TYPES_OF_SIZE(number, bytes)                                                               \
    static const mem_type type_##bytes = {.name = "object", .id = number, .size = bytes};          \
    static const mem_edge edge_##bytes = {0, MEM_OWNED, &type_##bytes};                            \
    static const mem_type table_##bytes = {.name = "table",                                        \
                                           .id = number + 5,                                       \
                                           .size = sizeof(struct table),                           \
                                           .trailing_max = LOOP_FEW * sizeof(mem_ref),             \
                                           .trailing_edge = &edge_##bytes,                         \
                                           .count_offset = offsetof(struct table, count)};
TYPES_OF_SIZE(0, 16)
TYPES_OF_SIZE(1, 64)
TYPES_OF_SIZE(2, 256)
TYPES_OF_SIZE(3, 1024)
TYPES_OF_SIZE(4, 4096)

/* Fold away, as size is a constant. */
LOOP const mem_type *type_of(size_t size) {
    return size == 16     ? &type_16
           : size == 64   ? &type_64
           : size == 256  ? &type_256
           : size == 1024 ? &type_1024
                          : &type_4096;
}
LOOP const mem_type *table_of(size_t size) {
    return size == 16     ? &table_16
           : size == 64   ? &table_64
           : size == 256  ? &table_256
           : size == 1024 ? &table_1024
                          : &table_4096;
}

static _Atomic uint64_t stop_count; /* relaxed: a number, read between runs */

void host_interval(enum mem_cause cause, uint64_t begin_ns, uint64_t end_ns) {
    (void)begin_ns, (void)end_ns;
    if (cause == MEM_CAUSE_COLLECTOR_PAUSE)
        atomic_fetch_add_explicit(&stop_count, 1, memory_order_relaxed);
}
_Noreturn void host_out_of_memory(size_t bytes) {
    (void)bytes;
    meter_fail("out of memory");
}
_Noreturn void host_violation(const char *sentence) {
    meter_fail(sentence);
}
_Noreturn void host_unsupported(const char *sentence) {
    meter_fail(sentence);
}
uint64_t host_tune(const char *key, uint64_t fallback) {
    (void)key;
    return fallback;
}

struct subject_pair {
    void *scope, *object;
};
static mem_parcel *slots, *shared; /* state memory */

static uint64_t subject_stops(void) {
    return atomic_load_explicit(&stop_count, memory_order_relaxed);
}
static void subject_start(void) {
    mem_init();
}
static void *subject_attach(void) {
    return mem_attach();
}
static void subject_idle(void *t) {
    mem_safepoint(t);
}
static void *subject_state(size_t bytes) {
    return mem_state_new(bytes);
}
static void subject_slots(void *t) {
    (void)t;
    slots = mem_state_new(LOOP_SLOTS * sizeof *slots);
}

LOOP void *subject_open(void *t) {
    return mem_scope_begin(t);
}
LOOP void subject_close(void *t, void *s) {
    mem_scope_end(t, s);
}
LOOP void *subject_new(void *t, void *s, size_t size) {
    return mem_new(t, s, type_of(size), 0);
}
LOOP void *subject_keep(void *t, void *object) {
    return mem_keep(t, type_of(LOOP_PAIR_SIZE), object);
}
LOOP void subject_give(void *t, void *s, size_t size, void *object) {
    mem_drop(t, s, type_of(size), object);
}

LOOP void subject_send(void *t, uint64_t slot, uint64_t batch, size_t size) {
    mem_scope *s = mem_scope_begin(t);
    struct table *table = mem_new(t, s, table_of(size), batch * sizeof(mem_ref));
    for (uint64_t i = 0; i < batch; i++) {
        void *object = mem_new(t, s, type_of(size), 0);
        loop_touch(object, size);
        mem_set(t, s, table, &mem_trailing(table_of(size), table)[i], type_of(size), object);
    }
    slots[slot] = mem_send(t, s, table_of(size), table, 1);
    mem_safepoint(t);
}
LOOP void subject_take(void *t, uint64_t slot, uint64_t batch, size_t size) {
    (void)batch;
    mem_scope *s;
    struct table *table = mem_receive(t, &slots[slot], &s);
    mem_drop(t, s, table_of(size), table);
    mem_scope_end(t, s);
}

static void subject_join(void *t, struct subject_pair *pair) {
    mem_scope *s;
    pair->object = mem_receive(t, shared, &s);
    pair->scope = s;
}
static void subject_share(void *t, struct subject_pair *pair) {
    shared = mem_state_new(sizeof *shared);
    *shared = mem_send(t, pair->scope, type_of(LOOP_PAIR_SIZE), pair->object, 2);
    subject_join(t, pair);
}

#include "loops.h"
