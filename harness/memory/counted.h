/* SPDX-License-Identifier: MIT */
/* counted.h - new and keep of a strategy that counts references.
 *
 * The strategy defines before it: count_add(t, object, n), which counts n references up for a
 * holder.
 */
MEM_INLINE void *mem_new(mem_thread *t, mem_scope *s, const mem_type *type, size_t trailing_bytes) {
    void *object = mem_try_new(t, s, type, trailing_bytes);
    if (MEM_LIKELY(object))
        return object;
    host_out_of_memory(mem_bytes(type, trailing_bytes));
}

MEM_INLINE void *mem_keep(mem_thread *t, const mem_type *type, void *object) {
    (void)type;
    count_add(t, object, 1);
    return object;
}
