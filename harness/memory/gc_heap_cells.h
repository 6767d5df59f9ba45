/* SPDX-License-Identifier: MIT */
/* gc_heap_cells.h - the heap of our own collectors: blocks of equal cells, and a mark byte for each
 * cell.
 *
 * One stretch of address space is reserved and made accessible from its beginning, step by step. It
 * is cut into blocks of 64 KiB; a block holds cells of one size class, an object too large for that
 * has blocks of its own. A mark byte stands for every 16 bytes of heap, far from it, and is used
 * where a cell begins: 0 is a free cell, else one of two colours. Marking gives what it finds the
 * colour of the cycle, and sweeping frees what has the other: no phase clears marks, and neither
 * touches dead objects. A thread allocates from the free cells of a block in the order of
 * addresses.
 *
 *   mark byte   | set by the marker and by whoever allocates the cell to the colour (relaxed: both
 *               |   write the same), by the sweeper from the other colour to 0 (release), which is
 *               |   read by who allocates the cell (acquire): uses of the dead object come first
 *   gc_colour   | written while the world is stopped
 *   all else    | under gc_heap.lock
 */
#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>

#define GC_RESERVE_BYTES ((size_t)32 << 30) /* Valgrind grants no 64 */
#define GC_BLOCK_BITS 16
#define GC_BLOCK_BYTES ((size_t)1 << GC_BLOCK_BITS)
#define GC_BLOCKS_MAX (GC_RESERVE_BYTES >> GC_BLOCK_BITS)
#define GC_GRANULE_BITS 4
#define GC_SWEEP_BLOCKS 64 /* swept at most in search of a free cell */
#define GC_STEP_BLOCKS 16  /* made accessible at a time */
#define GC_SMALL_BYTES_MAX 16384
#define GC_FINE 64 /* classes in steps of 16 bytes, up to 1 KiB; then four to each doubling */
#define GC_CLASSES (GC_FINE + 16)
#define GC_NONE UINT32_MAX

enum gc_block_state {
    GC_UNMAPPED,
    GC_DRY,
    GC_FREE,
    GC_CELLS,
    GC_LARGE,
    GC_REST
}; /* dry: holds no pages */
struct gc_block {
    uint32_t next; /* GC_CELLS: in the list of its class that have free cells; GC_LARGE: number of
                      blocks */
    uint16_t free_cells; /* when it was swept */
    uint8_t class;
    bool in_use; /* a thread allocates from it */
};
/* Where a thread looks for its next free cell of a class: mark bytes. */
struct gc_cursor {
    _Atomic uint8_t *at, *end;
};

static struct guard_pool gc_guard; /* all objects; a cell is closed but for its header */

/* What a thread has of the heap. */
struct gc_share {
    struct gc_cursor cursors[GC_CLASSES];
    uint32_t taken; /* blocks, since it last paid for them (concurrent) */
};

static struct {
    char *base;
    _Atomic uint8_t *marks; /* of GC_RESERVE_BYTES >> GC_GRANULE_BITS */
    uint8_t *states;        /* of enum gc_block_state */
    struct gc_block *blocks;
    pthread_mutex_t lock;
    uint32_t block_count, free_count, free_hint; /* accessible, free of them, where to look first */
    uint32_t available[GC_CLASSES]; /* lists of blocks that were swept and have free cells */
    uint32_t sweep_at, sweep_end;   /* blocks that are still to be swept */
    size_t live_bytes;              /* found live by the sweep so far */
    size_t allocated_bytes;         /* taken since the last cycle, in cells of whole blocks */
    size_t keep_free_bytes; /* free blocks that keep their pages, beyond which the sweep returns
                               them */
    size_t kept_free_bytes; /* by the sweep so far */
} gc_heap = {.lock = PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP};

/* The class of a cell of so many bytes, at most GC_SMALL_BYTES_MAX. */
MEM_INLINE uint32_t gc_class_of(size_t bytes) {
    if (bytes <= 16 * GC_FINE)
        return (uint32_t)((bytes + 15) / 16) - 1;
    uint32_t top = 63 - (uint32_t)__builtin_clzll(bytes - 1);
    return GC_FINE + (top - 10) * 4 + (((bytes - 1) >> (top - 2)) & 3);
}
MEM_INLINE uint32_t gc_class_bytes(uint32_t class) {
    if (class < GC_FINE)
        return (class + 1) * 16;
    return (5 + (class - GC_FINE) % 4) << (8 + (class - GC_FINE) / 4);
}

MEM_INLINE _Atomic uint8_t *gc_mark_of(const void *cell) {
    return &gc_heap.marks[(size_t)((const char *)cell - gc_heap.base) >> GC_GRANULE_BITS];
}
MEM_INLINE void *gc_cell_of(const _Atomic uint8_t *mark) {
    return gc_heap.base + ((size_t)(mark - gc_heap.marks) << GC_GRANULE_BITS);
}
MEM_INLINE void *gc_object_in(void *cell) {
    return (char *)cell + GC_HEADER_BYTES;
}

static void gc_heap_init(void) {
    size_t marks_bytes = GC_RESERVE_BYTES >> GC_GRANULE_BITS;
    size_t tables_bytes = GC_BLOCKS_MAX * (sizeof(struct gc_block) + 1);
    char *base = mmap(NULL, GC_RESERVE_BYTES + GC_BLOCK_BYTES + marks_bytes + tables_bytes,
                      PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED)
        host_out_of_memory(GC_RESERVE_BYTES);
    base += GC_BLOCK_BYTES - (uintptr_t)base % GC_BLOCK_BYTES;
    gc_heap.base = base;
    gc_heap.marks = (_Atomic uint8_t *)(base + GC_RESERVE_BYTES);
    gc_heap.blocks = (struct gc_block *)(void *)(base + GC_RESERVE_BYTES + marks_bytes);
    gc_heap.states = (uint8_t *)(gc_heap.blocks + GC_BLOCKS_MAX);
    guard_begin(&gc_guard);
    for (int i = 0; i < GC_CLASSES; i++)
        gc_heap.available[i] = GC_NONE;
}

/* Makes what lies between two addresses accessible, whole pages; again does no harm. */
static bool gc_map(void *from, void *to) {
    uintptr_t begin = (uintptr_t)from & ~(uintptr_t)4095,
              end = ((uintptr_t)to + 4095) & ~(uintptr_t)4095;
    return mprotect((void *)begin, end - begin, PROT_READ | PROT_WRITE) == 0;
}

static bool gc_grow(uint32_t blocks) {
    uint32_t from = gc_heap.block_count,
             to = (from + blocks + GC_STEP_BLOCKS - 1) / GC_STEP_BLOCKS * GC_STEP_BLOCKS;
    char *begin = gc_heap.base + ((size_t)from << GC_BLOCK_BITS);
    char *end = gc_heap.base + ((size_t)to << GC_BLOCK_BITS);
    if (to > GC_BLOCKS_MAX || !gc_map((void *)gc_mark_of(begin), (void *)gc_mark_of(end)) ||
        !gc_map(&gc_heap.blocks[from], &gc_heap.blocks[to]) ||
        !gc_map(&gc_heap.states[from], &gc_heap.states[to]) || !gc_map(begin, end))
        return false;
    memset(&gc_heap.states[from], GC_DRY, to - from);
    guard_reset(begin, (size_t)(end - begin));
    gc_heap.block_count = to;
    gc_heap.free_count += to - from;
    return true;
}

MEM_INLINE bool gc_block_is_free(uint32_t block) {
    return gc_heap.states[block] == GC_FREE || gc_heap.states[block] == GC_DRY;
}

/* The first of so many free blocks in a row between two, or GC_NONE. */
static uint32_t gc_find_free(uint32_t from, uint32_t to, uint32_t count) {
    for (uint32_t block = from, run = 0; block < to; block++) {
        run = gc_block_is_free(block) ? run + 1 : 0;
        if (run == count)
            return block + 1 - count;
    }
    return GC_NONE;
}

/* Blocks in a row, which are the caller's; GC_NONE where memory ran out. */
static uint32_t gc_take_blocks(uint32_t count) {
    uint32_t first = GC_NONE;
    if (gc_heap.free_count >= count)
        first = gc_find_free(gc_heap.free_hint, gc_heap.block_count, count);
    if (first == GC_NONE && gc_heap.free_count >= count && gc_heap.free_hint > 0)
        first = gc_find_free(0, gc_heap.block_count, count);
    if (first == GC_NONE) {
        first = gc_heap.block_count;
        if (!gc_grow(count))
            return GC_NONE;
    }
    gc_heap.free_hint = first + count;
    gc_heap.free_count -= count;
    gc_heap.allocated_bytes += count * GC_BLOCK_BYTES;
    return first;
}

/* A block that nothing lives in; dry: its pages were returned. */
static void gc_free_block(uint32_t block, bool dry) {
    gc_heap.states[block] = dry ? GC_DRY : GC_FREE;
    gc_heap.free_count++;
    if (!dry)
        gc_heap.kept_free_bytes += GC_BLOCK_BYTES;
}
static void gc_return_pages(uint32_t block, uint32_t count) {
    madvise(gc_heap.base + ((size_t)block << GC_BLOCK_BITS), count * GC_BLOCK_BYTES, MADV_DONTNEED);
}

/* Frees the dead cells of a block, without the lock; returns how many live. */
static uint32_t gc_sweep_cells(uint32_t index, uint32_t cells, uint32_t bytes) {
    _Atomic uint8_t *mark = gc_mark_of(gc_heap.base + ((size_t)index << GC_BLOCK_BITS));
    uint8_t colour = gc_colour;
    uint32_t live = 0;
    for (uint32_t i = 0; i < cells; i++, mark += bytes >> GC_GRANULE_BITS) {
        uint8_t value = atomic_load_explicit(mark, memory_order_relaxed);
        if (value == colour) {
            live++;
        } else if (value) {
            guard_free(&gc_guard, gc_object_in(gc_cell_of(mark)), bytes - GC_HEADER_BYTES);
            /* release: pairs with the acquire in gc_take_cell */
            atomic_store_explicit(mark, 0, memory_order_release);
        }
    }
    return live;
}

/* Sweeps a block of cells, letting go of the lock meanwhile: nobody else takes a block that is not
 * swept, and one that a thread allocates from stays with it. */
static void gc_sweep_block(uint32_t index, bool returns) {
    struct gc_block *block = &gc_heap.blocks[index];
    uint32_t bytes = gc_class_bytes(block->class), cells = (uint32_t)GC_BLOCK_BYTES / bytes;
    bool in_use = block->in_use;
    pthread_mutex_unlock(&gc_heap.lock);
    uint32_t live = gc_sweep_cells(index, cells, bytes);
    bool dry = returns && live == 0 && !in_use;
    if (dry)
        gc_return_pages(index, 1);
    pthread_mutex_lock(&gc_heap.lock);
    gc_heap.live_bytes += (size_t)live * bytes;
    if (in_use)
        return;
    if (live == 0) {
        gc_free_block(index, dry);
    } else if (live < cells - cells / 16) {
        block->free_cells = (uint16_t)(cells - live);
        block->next = gc_heap.available[block->class];
        gc_heap.available[block->class] = index;
    }
}

static void gc_sweep_large(uint32_t index, bool returns) {
    uint32_t count = gc_heap.blocks[index].next;
    _Atomic uint8_t *mark = gc_mark_of(gc_heap.base + ((size_t)index << GC_BLOCK_BITS));
    gc_heap.sweep_at += count - 1;
    if (atomic_load_explicit(mark, memory_order_relaxed) == gc_colour) {
        gc_heap.live_bytes += count * GC_BLOCK_BYTES;
        return;
    }
    guard_free(&gc_guard, gc_object_in(gc_cell_of(mark)), count * GC_BLOCK_BYTES - GC_HEADER_BYTES);
    /* release: pairs with the acquire in gc_take_cell, in the blocks' next use */
    atomic_store_explicit(mark, 0, memory_order_release);
    if (returns)
        gc_return_pages(index, count);
    for (uint32_t i = 0; i < count; i++)
        gc_free_block(index + i, returns);
}

/* Sweeps the next block, under the lock; false when none is left. */
static bool gc_sweep_next(void) {
    if (gc_heap.sweep_at >= gc_heap.sweep_end) /* beyond: a large object that is newer lies there */
        return false;
    uint32_t index = gc_heap.sweep_at++;
    uint8_t state = gc_heap.states[index];
    bool returns = gc_heap.kept_free_bytes >= gc_heap.keep_free_bytes;
    if (state == GC_CELLS) {
        gc_sweep_block(index, returns);
    } else if (state == GC_LARGE) {
        gc_sweep_large(index, returns);
    } else if (state == GC_FREE) {
        if (returns)
            gc_return_pages(index, 1);
        gc_heap.free_count--;
        gc_free_block(index, returns);
    }
    return true;
}

/* Sweeps what is left to be swept. */
static void gc_sweep_all(void) {
    pthread_mutex_lock(&gc_heap.lock);
    while (gc_sweep_next()) {
        pthread_mutex_unlock(&gc_heap.lock); /* for those who wait for it */
        pthread_mutex_lock(&gc_heap.lock);
    }
    pthread_mutex_unlock(&gc_heap.lock);
}

/* Begins to sweep what marking has left, of the blocks that there are. */
static void gc_sweep_begin(size_t keep_free_bytes) {
    gc_heap.sweep_at = 0;
    gc_heap.sweep_end = gc_heap.block_count;
    gc_heap.live_bytes = gc_heap.kept_free_bytes = 0;
    gc_heap.keep_free_bytes = keep_free_bytes;
    for (int i = 0; i < GC_CLASSES; i++)
        gc_heap.available[i] = GC_NONE;
}

static void gc_give_back(struct gc_cursor *cursor) {
    if (cursor->end)
        gc_heap
            .blocks[(size_t)(cursor->end - 1 - gc_heap.marks) >> (GC_BLOCK_BITS - GC_GRANULE_BITS)]
            .in_use = false;
    cursor->at = cursor->end = NULL;
}

/* A block of a class with free cells, for the calling thread to allocate from; GC_NONE if memory
 * ran out. */
static uint32_t gc_take_cells(uint32_t class) {
    uint32_t index = gc_heap.available[class];
    for (int i = 0; i < GC_SWEEP_BLOCKS && index == GC_NONE && gc_sweep_next(); i++)
        index = gc_heap.available[class];
    if (index != GC_NONE) {
        gc_heap.available[class] = gc_heap.blocks[index].next;
        gc_heap.allocated_bytes += gc_heap.blocks[index].free_cells * gc_class_bytes(class);
    } else {
        if ((index = gc_take_blocks(1)) == GC_NONE)
            return GC_NONE;
        gc_heap.states[index] = GC_CELLS;
        gc_heap.blocks[index].class = (uint8_t) class;
    }
    gc_heap.blocks[index].in_use = true;
    return index;
}

/* Points a cursor at a block of its class and gives the one back that it had. False: no memory. */
static bool gc_turn_to_cells(struct gc_cursor *cursor, uint32_t class) {
    gc_give_back(cursor);
    uint32_t index = gc_take_cells(class), bytes = gc_class_bytes(class);
    if (index == GC_NONE)
        return false;
    cursor->at = gc_mark_of(gc_heap.base + ((size_t)index << GC_BLOCK_BITS));
    cursor->end = cursor->at + (GC_BLOCK_BYTES / bytes) * (bytes >> GC_GRANULE_BITS);
    return true;
}

/* Blocks of its own for one object; NULL where memory ran out. */
static void *gc_large(size_t bytes) {
    uint32_t count = (uint32_t)((bytes + GC_BLOCK_BYTES - 1) >> GC_BLOCK_BITS);
    uint32_t first = gc_take_blocks(count);
    if (first == GC_NONE)
        return NULL;
    void *cell = gc_heap.base + ((size_t)first << GC_BLOCK_BITS);
    memset(&gc_heap.states[first], GC_REST, count);
    gc_heap.states[first] = GC_LARGE;
    gc_heap.blocks[first].next = count;
    atomic_store_explicit(gc_mark_of(cell), gc_colour, memory_order_relaxed);
    return cell;
}

/* Bytes that can still be allocated, of free blocks and of what RLIMIT_DATA (a budget) leaves. */
static size_t gc_room_bytes(void) {
    struct rlimit limit;
    unsigned long pages = 0;
    if (getrlimit(RLIMIT_DATA, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return GC_RESERVE_BYTES;
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file || fscanf(file, "%*u %*u %*u %*u %*u %lu", &pages) != 1)
        pages = 0;
    if (file)
        fclose(file);
    size_t used_bytes = pages * 4096,
           left = limit.rlim_cur > used_bytes ? limit.rlim_cur - used_bytes : 0;
    return left / 17 * 16 + gc_heap.free_count * GC_BLOCK_BYTES; /* a mark byte to every 16 */
}
