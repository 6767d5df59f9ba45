/* SPDX-License-Identifier: MIT */
/* strategy_arena_jemalloc.h - explicit arenas of jemalloc, one per scope, reset at its end.
 *
 * An arena costs much to create and to destroy, so they are recycled by arena.<i>.reset, which
 * discards all that was allocated in it and, so its manual, must find none of that in a thread
 * cache: MALLOCX_TCACHE_NONE. Its pages stay with the arena and are purged as they decay
 * (arena.<i>.dirty_decay_ms). A process can have about 4,000 arenas; one more is out of memory.
 * jemalloc's statistics cost more than they tell: a reset is logged after more than
 * MEM_RESET_BYTES were asked for. Linked behind libc: malloc stays libc's.
 */
#include <jemalloc/jemalloc.h>

struct library_arena {
    unsigned index;
    int flags;
    uint64_t asked_bytes; /* since the last reset */
};
#include "memory/library_arena.h"

#define JEMALLOC_DECAY_UNSET UINT64_MAX /* whatever jemalloc does, 10,000 ms in 5.3.0 */
#define JEMALLOC_ARENA_BYTES (2u << 20) /* what it maps for an arena's own data */
#define JEMALLOC_NAME_PARTS 3           /* arena.<i>.reset */

static struct {
    size_t reset[JEMALLOC_NAME_PARTS], destroy[JEMALLOC_NAME_PARTS], decay[JEMALLOC_NAME_PARTS];
    uint64_t decay_ms;
} jemalloc_control;

static void jemalloc_find(const char *name, size_t *parts) {
    size_t count = JEMALLOC_NAME_PARTS;
    if (mallctlnametomib(name, parts, &count) != 0)
        host_violation("jemalloc: this library has no explicit arenas");
}
static void mem_init(void) {
    jemalloc_find("arena.0.reset", jemalloc_control.reset);
    jemalloc_find("arena.0.destroy", jemalloc_control.destroy);
    jemalloc_find("arena.0.dirty_decay_ms", jemalloc_control.decay);
    jemalloc_control.decay_ms = host_tune("decay", JEMALLOC_DECAY_UNSET);
}
static void mem_fini(void) {}

/* Does what `parts` names to one arena, which is there and explicit, so that it cannot fail. */
static void jemalloc_do(const size_t *parts, unsigned index, void *value, size_t value_bytes) {
    size_t name[JEMALLOC_NAME_PARTS] = {parts[0], index, parts[2]};
    if (mallctlbymib(name, JEMALLOC_NAME_PARTS, NULL, NULL, value, value_bytes) != 0)
        host_violation("jemalloc: an arena was not reset, destroyed or tuned");
}

static void library_open(struct library_arena *arena) {
    size_t bytes = sizeof arena->index;
    if (mallctl("arenas.create", &arena->index, &bytes, NULL, 0) != 0)
        host_out_of_memory(JEMALLOC_ARENA_BYTES);
    arena->flags = (int)MALLOCX_ARENA(arena->index) | MALLOCX_TCACHE_NONE;
    ssize_t decay_ms = (ssize_t)jemalloc_control.decay_ms;
    if (jemalloc_control.decay_ms != JEMALLOC_DECAY_UNSET)
        jemalloc_do(jemalloc_control.decay, arena->index, &decay_ms, sizeof decay_ms);
}
static void library_reset(struct library_arena *arena) {
    jemalloc_do(jemalloc_control.reset, arena->index, NULL, 0);
    arena->asked_bytes = 0;
}
static void library_close(struct library_arena *arena) {
    jemalloc_do(jemalloc_control.destroy, arena->index, NULL, 0);
}
MEM_INLINE bool library_gives_much(const struct library_arena *arena) {
    return arena->asked_bytes > MEM_RESET_BYTES;
}

MEM_INLINE void *library_new(struct library_arena *arena, size_t bytes) {
    arena->asked_bytes += bytes;
    return mallocx(bytes, arena->flags);
}
MEM_INLINE void *library_resize(struct library_arena *arena, void *object, size_t old_bytes,
                                size_t new_bytes) {
    (void)old_bytes;
    arena->asked_bytes += new_bytes;
    return rallocx(object, new_bytes, arena->flags);
}
