/* SPDX-License-Identifier: MIT */
/* strategy_arena_obstack.h - glibc's obstacks, one per scope, their chunks from malloc.
 *
 * An obstack is emptied by freeing its first object, which leaves it its first chunk (the manual,
 * Freeing Objects in an Obstack); those that are not kept are freed whole, by NULL. Where malloc
 * gives no chunk, the chunk function jumps back to the call that wanted one: an obstack's functions
 * do not expect it to return NULL, and glibc's own handler would exit.
 */
#include <obstack.h>
#include <setjmp.h>

struct library_arena {
    struct obstack stack;
    void *first;
    uint64_t chunk_count;
    jmp_buf *no_chunk; /* set where a chunk may be asked for */
};
#include "memory/library_arena.h"

#define OBSTACK_CHUNK_BYTES 4064 /* obstack's own default: a page less what malloc may add */
#define OBSTACK_CHUNK_BYTES_MIN 256
#define OBSTACK_CHUNK_BYTES_MAX (1 << 30)
#define OBSTACK_ALIGNMENT 8
/* obstack.h aligns a pointer by its distance from a null pointer. */
#define OBSTACK_ALIGNS __attribute__((no_sanitize("undefined")))

static int obstack_chunk_bytes;

static void mem_init(void) {
    uint64_t bytes = host_tune("chunk", OBSTACK_CHUNK_BYTES);
    obstack_chunk_bytes = bytes < OBSTACK_CHUNK_BYTES_MIN   ? OBSTACK_CHUNK_BYTES_MIN
                          : bytes > OBSTACK_CHUNK_BYTES_MAX ? OBSTACK_CHUNK_BYTES_MAX
                                                            : (int)bytes;
}
static void mem_fini(void) {}

static void *obstack_chunk_new(void *of, long bytes) {
    struct library_arena *arena = of;
    void *chunk = malloc((size_t)bytes);
    if (!chunk)
        longjmp(*arena->no_chunk, 1);
    arena->chunk_count++;
    return chunk;
}
static void obstack_chunk_delete(void *of, void *chunk) {
    struct library_arena *arena = of;
    arena->chunk_count--;
    free(chunk);
}

static OBSTACK_ALIGNS void library_open(struct library_arena *arena) {
    jmp_buf no_chunk;
    arena->no_chunk = &no_chunk;
    if (setjmp(no_chunk))
        host_out_of_memory((size_t)obstack_chunk_bytes);
    obstack_specify_allocation_with_arg(&arena->stack, obstack_chunk_bytes, OBSTACK_ALIGNMENT,
                                        obstack_chunk_new, obstack_chunk_delete, arena);
    arena->first = obstack_alloc(&arena->stack, 0);
}
static void library_reset(struct library_arena *arena) {
    obstack_free(&arena->stack, arena->first);
}
static void library_close(struct library_arena *arena) {
    obstack_free(&arena->stack, NULL);
}
MEM_INLINE bool library_gives_much(const struct library_arena *arena) {
    return arena->chunk_count > MEM_RESET_CHUNKS;
}

static __attribute__((noinline)) OBSTACK_ALIGNS void *
obstack_new_in_chunk(struct library_arena *arena, size_t bytes) {
    jmp_buf no_chunk;
    arena->no_chunk = &no_chunk;
    return setjmp(no_chunk) ? NULL : obstack_alloc(&arena->stack, (int)bytes);
}
MEM_INLINE OBSTACK_ALIGNS void *library_new(struct library_arena *arena, size_t bytes) {
    if (!MEM_LIKELY(bytes <= obstack_room(&arena->stack)))
        return obstack_new_in_chunk(arena, bytes);
    return obstack_alloc(&arena->stack, (int)bytes);
}

/* In place where the object is the last one and the chunk has room: the next object lies behind it,
 * without a gap. */
MEM_INLINE void *library_resize(struct library_arena *arena, void *object, size_t old_bytes,
                                size_t new_bytes) {
    if (new_bytes > old_bytes && (char *)object + old_bytes == obstack_base(&arena->stack) &&
        new_bytes - old_bytes <= obstack_room(&arena->stack)) {
        library_new(arena, new_bytes - old_bytes);
        return object;
    }
    return library_move(arena, object, old_bytes, new_bytes);
}
