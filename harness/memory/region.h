/* SPDX-License-Identifier: MIT */
/* region.h - chunks that a scope bumps through and a thread recycles: the ground of both arenas.
 *
 * Chunks come from malloc. One that is given back stays with the thread that ended the scope, up to
 * `keep` bytes a thread, the rest is freed. An object too large for a chunk has one of its own.
 * A region has one user at a time (mem.h); a thread's kept chunks are its own. No locks. What of a
 * chunk holds no object is closed to the program where MEM_MODE says so (guard.h).
 */
#include "memory/guard.h"

#include <stdlib.h>

struct region_chunk {
    struct region_chunk *next;
    size_t bytes;
};
#define REGION_HEADER_BYTES (sizeof(struct region_chunk) + GUARD_REDZONE_BYTES)

struct region {
    char *at, *end;
    uint64_t chunk_count;
    struct region_chunk
        *chunks; /* the one bumped through first; those of large objects behind it */
    struct guard_pool guard;
};
struct region_store {
    struct region_chunk *kept;
    size_t kept_bytes;
};
static size_t region_chunk_bytes, region_keep_bytes;

static void region_configure(void) {
    region_chunk_bytes = (size_t)host_tune("chunk", 65536);
    region_keep_bytes = (size_t)host_tune("keep", 1048576);
    if (region_chunk_bytes < 4096)
        region_chunk_bytes = 4096;
}

static __attribute__((noinline)) struct region_chunk *region_chunk_fresh(size_t bytes) {
    struct region_chunk *chunk = malloc(bytes);
    if (!chunk)
        return NULL;
    chunk->bytes = bytes;
    guard_reset(chunk + 1, bytes - sizeof *chunk);
    return chunk;
}
MEM_INLINE struct region_chunk *region_chunk_new(struct region_store *store, size_t bytes) {
    struct region_chunk *chunk = store->kept;
    if (!chunk || bytes != region_chunk_bytes)
        return region_chunk_fresh(bytes);
    store->kept = chunk->next;
    store->kept_bytes -= bytes;
    return chunk;
}

static inline void region_chunk_free(struct region_store *store, struct region_chunk *chunk) {
    if (chunk->bytes != region_chunk_bytes ||
        store->kept_bytes + chunk->bytes > region_keep_bytes) {
        free(chunk);
        return;
    }
    guard_reset(chunk + 1, chunk->bytes - sizeof *chunk);
    chunk->next = store->kept;
    store->kept = chunk;
    store->kept_bytes += chunk->bytes;
}

/* The slow path of region_new: NULL where memory ran out. */
static __attribute__((noinline)) void *region_grow(struct region *r, struct region_store *store,
                                                   size_t bytes) {
    bool own = bytes > region_chunk_bytes / 4;
    struct region_chunk *chunk =
        region_chunk_new(store, own ? bytes + REGION_HEADER_BYTES : region_chunk_bytes);
    if (!chunk)
        return NULL;
    char *first = (char *)chunk + REGION_HEADER_BYTES;
    r->chunk_count++;
    if (own && r->chunks) {
        chunk->next = r->chunks->next;
        r->chunks->next = chunk;
        return first;
    }
    chunk->next = r->chunks;
    r->chunks = chunk;
    r->at = first + bytes;
    r->end = (char *)chunk + chunk->bytes;
    return first;
}

MEM_INLINE void *region_new(struct region *r, struct region_store *store, size_t bytes) {
    char *object = r->at;
    if (!MEM_LIKELY(bytes <= (size_t)(r->end - object)))
        return region_grow(r, store, bytes);
    if (!object)
        __builtin_unreachable(); /* so that nobody tests what only region_grow may return */
    r->at = object + bytes;
    return object;
}

/* Begins a region in a chunk whose first object is its scope: so many bytes, of which the region is
 * the beginning and the rest undefined. */
MEM_INLINE void *region_begin(struct region_store *store, size_t bytes) {
    struct region_chunk *chunk = region_chunk_new(store, region_chunk_bytes);
    if (!chunk)
        host_out_of_memory(region_chunk_bytes);
    char *scope = (char *)chunk + REGION_HEADER_BYTES;
    guard_open(scope, bytes);
    chunk->next = NULL;
    *(struct region *)(void *)scope = (struct region){.at = scope + bytes + GUARD_REDZONE_BYTES,
                                                      .end = (char *)chunk + region_chunk_bytes,
                                                      .chunk_count = 1,
                                                      .chunks = chunk};
    return scope;
}

/* How much of an object is copied when it moves: whole words where what is behind it is not closed.
 */
MEM_INLINE size_t region_moved_bytes(const mem_type *type, size_t old_trailing_bytes,
                                     size_t new_trailing_bytes) {
    size_t old_bytes = mem_exact_bytes(type, old_trailing_bytes);
    size_t new_bytes = mem_exact_bytes(type, new_trailing_bytes);
    if (!GUARD_EXACT)
        return mem_bytes(type, old_trailing_bytes);
    return old_bytes < new_bytes ? old_bytes : new_bytes;
}

/* The region lies in its own first chunk, so it is read beforehand. One that gives much back is
 * logged as a cause. */
static inline void region_free(const struct region *r, struct region_store *store) {
    struct region_chunk *chunk = r->chunks, *next;
    uint64_t begin_ns = r->chunk_count > MEM_RESET_CHUNKS ? clock_now_ns() : 0;
    for (; chunk; chunk = next) {
        next = chunk->next;
        region_chunk_free(store, chunk);
    }
    if (begin_ns > 0)
        host_interval(MEM_CAUSE_ARENA_RESET, begin_ns, clock_now_ns());
}

static void region_store_free(struct region_store *store) {
    for (struct region_chunk *chunk = store->kept, *next; chunk; chunk = next) {
        next = chunk->next;
        free(chunk);
    }
}

/* Both arenas' threads: nothing but the chunks they keep. */
struct mem_thread {
    struct region_store store;
};

static mem_thread *mem_attach(void) {
    mem_thread *t = calloc(1, sizeof *t);
    if (!t)
        host_out_of_memory(sizeof *t);
    return t;
}
static void mem_detach(mem_thread *t) {
    region_store_free(&t->store);
    free(t);
}
static void mem_init(void) {
    region_configure();
}
static void mem_fini(void) {}
