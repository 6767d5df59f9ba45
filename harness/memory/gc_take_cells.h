/* SPDX-License-Identifier: MIT */
/* gc_take_cells.h - how a thread takes cells: from the free ones of a block of its own, in the
 * order of addresses. */
static __attribute__((noinline)) bool gc_turn(struct gc_share *share, uint32_t class) {
    pthread_mutex_lock(&gc_heap.lock);
    bool turned = gc_turn_to_cells(&share->cursors[class], class);
    share->taken++;
    gc_allocated();
    pthread_mutex_unlock(&gc_heap.lock);
    return turned;
}
static __attribute__((noinline)) void *gc_take_large(struct gc_share *share, size_t bytes) {
    pthread_mutex_lock(&gc_heap.lock);
    void *cell = gc_large(bytes);
    share->taken += (uint32_t)(bytes >> GC_BLOCK_BITS) + 1;
    gc_allocated();
    pthread_mutex_unlock(&gc_heap.lock);
    return cell;
}

MEM_INLINE void *gc_take_cell(struct gc_share *share, uint32_t class) {
    struct gc_cursor *cursor = &share->cursors[class];
    do
        for (; cursor->at < cursor->end; cursor->at += gc_class_bytes(class) >> GC_GRANULE_BITS)
            /* acquire: pairs with the release of the sweep */
            if (atomic_load_explicit(cursor->at, memory_order_acquire) == 0) {
                atomic_store_explicit(cursor->at, gc_colour, memory_order_relaxed);
                void *cell = gc_cell_of(cursor->at);
                cursor->at += gc_class_bytes(class) >> GC_GRANULE_BITS;
                return cell;
            }
    while (gc_turn(share, class));
    return NULL;
}

MEM_INLINE void *gc_take(struct gc_share *share, size_t bytes) {
    return bytes <= GC_SMALL_BYTES_MAX ? gc_take_cell(share, gc_class_of(bytes))
                                       : gc_take_large(share, bytes);
}

MEM_INLINE bool gc_fits(size_t old_bytes, size_t new_bytes) {
    return old_bytes <= GC_SMALL_BYTES_MAX && new_bytes <= GC_SMALL_BYTES_MAX &&
           gc_class_of(old_bytes) == gc_class_of(new_bytes);
}

static void gc_share_leave(struct gc_share *share) {
    pthread_mutex_lock(&gc_heap.lock);
    for (int i = 0; i < GC_CLASSES; i++)
        gc_give_back(&share->cursors[i]);
    pthread_mutex_unlock(&gc_heap.lock);
}
