/* SPDX-License-Identifier: MIT */
/* no_slots.h - slot calls of a strategy that does not provide MEM_SLOTS: no cell reaches them. */
static inline void *mem_slot_read(mem_thread *t, mem_slot *slot) {
    (void)t, (void)slot;
    host_violation("slot_read: this strategy does not provide slots");
}
static inline void mem_slot_read_end(mem_thread *t, const mem_type *type, void *object) {
    (void)t, (void)type, (void)object;
    host_violation("slot_read_end: this strategy does not provide slots");
}
static inline void mem_slot_swap(mem_thread *t, mem_scope *s, void *owner, mem_slot *slot,
                                 const mem_type *type, void *object) {
    (void)t, (void)s, (void)owner, (void)slot, (void)type, (void)object;
    host_violation("slot_swap: this strategy does not provide slots");
}
/* What the slots of an object that is freed still hold. */
MEM_INLINE void mem_give_up_slots(mem_thread *t, const mem_type *type, void *object) {
    (void)t, (void)type, (void)object;
}
