/* SPDX-License-Identifier: MIT */
/* split_slots.h - slots of a strategy that counts references, by a split count (Williams, "C++
 * Concurrency in Action", 7.2.4; Folly AtomicSharedPtr).
 *
 * The slot's word is a 48-bit pointer and a 16-bit count of readers that hold the slot but not yet
 * the object. A reader counts itself in the word, counts the object up, and leaves the word again;
 * a writer who swaps the word in between moves the readers it found onto the object's own count,
 * and a reader who finds itself gone from the word gives back the one that was moved for it. It may
 * do so at once, so the writer, who alone replaces what the slot holds, counts the most readers
 * there can be before the swap and gives back after it those that were none. At most 65,535 threads
 * are between the two at once, so the word's count cannot overflow.
 *
 * The strategy defines before it: count_add(t, object, n), and count_sub(t, object, n), which gives
 * n references back by a thread that has one more. After it: mem_slot_swap and mem_slot_read_end.
 */
#define SPLIT_POINTER_BITS 48
#define SPLIT_READER ((uint64_t)1 << SPLIT_POINTER_BITS)
#define SPLIT_READERS_MAX 65535u

MEM_INLINE void *split_pointer(uint64_t word) {
    return (void *)(uintptr_t)(word & (SPLIT_READER - 1));
}

static inline void *mem_slot_read(mem_thread *t, mem_slot *slot) {
    /* acquire: pairs with the release in split_swap */
    uint64_t word =
        atomic_fetch_add_explicit(&slot->word, SPLIT_READER, memory_order_acquire) + SPLIT_READER;
    void *object = split_pointer(word);
    if (object)
        count_add(t, object, 1);
    while (split_pointer(word) == object && word >= SPLIT_READER)
        /* release: the count up above comes before the writer that finds this reader gone;
         * acquire: what the writer who moved this reader counted comes before what is given back */
        if (atomic_compare_exchange_weak_explicit(&slot->word, &word, word - SPLIT_READER,
                                                  memory_order_release, memory_order_acquire))
            return object;
    if (object)
        count_sub(t, object, 1);
    return object;
}

/* mem_slot_swap, which need not know the owner. */
static inline void split_swap(mem_thread *t, mem_scope *s, mem_slot *slot, const mem_type *type,
                              void *object) {
    assert((uintptr_t)object < SPLIT_READER);
    /* relaxed: only the scope's user replaces the pointer */
    void *old = split_pointer(atomic_load_explicit(&slot->word, memory_order_relaxed));
    if (old)
        count_add(t, old, SPLIT_READERS_MAX);
    /* release: pairs with the acquires in mem_slot_read; acquire: with the release of readers gone
     */
    uint64_t word =
        atomic_exchange_explicit(&slot->word, (uint64_t)(uintptr_t)object, memory_order_acq_rel);
    if (!old)
        return;
    count_sub(t, old, SPLIT_READERS_MAX - (uint32_t)(word >> SPLIT_POINTER_BITS));
    mem_drop(t, s, type, old);
}
