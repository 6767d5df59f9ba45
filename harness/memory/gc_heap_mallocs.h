/* SPDX-License-Identifier: MIT */
/* gc_heap_mallocs.h - the heap of our own collectors in passthrough mode: each object is a malloc
 * of its own, which the sweep frees, so that tools see an object that a root was missed for as one
 * that is used after its free.
 *
 * What lies before an object belongs to the same malloc. gc_heap.lock guards the list of all.
 */
#include <stdlib.h>

struct gc_malloc {
    struct gc_malloc *next;
    size_t bytes;
    _Atomic uint8_t mark; /* as in gc_heap_cells.h, but never 0 */
    char unused[7];
};
struct gc_share {
    uint32_t taken; /* objects, since it last paid for them (concurrent) */
};

static struct {
    pthread_mutex_t lock;
    struct gc_malloc *all;
    size_t live_bytes, allocated_bytes, keep_free_bytes;
    uint32_t sweep_at, sweep_end; /* alike: a sweep is over when it has begun */
} gc_heap = {.lock = PTHREAD_MUTEX_INITIALIZER};
static struct guard_pool gc_guard;

static void gc_heap_init(void) {}
static size_t gc_room_bytes(void) {
    return SIZE_MAX / 100;
}

MEM_INLINE _Atomic uint8_t *gc_mark_of(const void *object) {
    char *header = (char *)(uintptr_t)object - GC_HEADER_BYTES;
    return &((struct gc_malloc *)(void *)header - 1)->mark;
}

static void *gc_take(struct gc_share *share, size_t bytes) {
    struct gc_malloc *one = malloc(sizeof *one + bytes);
    if (!one)
        return NULL;
    one->bytes = bytes;
    atomic_init(&one->mark, gc_colour);
    pthread_mutex_lock(&gc_heap.lock);
    one->next = gc_heap.all;
    gc_heap.all = one;
    gc_heap.allocated_bytes += bytes;
    share->taken++;
    gc_allocated();
    pthread_mutex_unlock(&gc_heap.lock);
    return one + 1;
}
MEM_INLINE bool gc_fits(size_t old_bytes, size_t new_bytes) {
    (void)old_bytes, (void)new_bytes;
    return false;
}
static void gc_share_leave(struct gc_share *share) {
    (void)share;
}

static void gc_sweep_begin(size_t keep_free_bytes) {
    (void)keep_free_bytes;
    gc_heap.live_bytes = 0;
    for (struct gc_malloc **link = &gc_heap.all, *one; (one = *link);) {
        if (atomic_load_explicit(&one->mark, memory_order_relaxed) == gc_colour) {
            gc_heap.live_bytes += one->bytes;
            link = &one->next;
        } else {
            *link = one->next;
            free(one);
        }
    }
}
static void gc_sweep_all(void) {}
